// Draws the lanes of one tile on a canvas: little by little, behind a pen that wraps, hatched where nothing is known.
import {
  eraseAhead,
  lanesOf,
  lapEnd,
  lapOf,
  columnOf,
  rowOf,
  stretches,
  type Lane,
  type Scale,
  type Stretch,
  type Sweep,
} from './geometry';
import { Trace, type Stroke } from './trace';

/** How far the pen is behind the newest data, so that it moves evenly although data comes in batches. */
export const playoutDelayMs = 300;
/** Blank before the pen, in CSS pixels. */
export const eraseGapPx = 14;

/** What a trace keeps besides a lap, in ms: what comes late, and the playout delay. */
const keepMoreMs = 2000;

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

export interface PainterLane {
  scale: Scale;
  colour: string;
}

export interface PainterOptions {
  lanes: PainterLane[];
  /** Where the tile begins on the canvas, in CSS pixels. */
  x: number;
  y: number;
  /** CSS pixels. */
  width: number;
  height: number;
  /** Device pixels a CSS pixel. */
  ratio: number;
  seconds: number;
  ground: string;
  hatch: string;
}

interface Channel {
  trace: Trace;
  lane: Lane;
  scale: Scale;
  colour: string;
  /** Its data is stale or withdrawn: what is missing until now is hatched. */
  silent: boolean;
}

/** The picture of one tile. All times are ms of the gateway's monotonic clock. */
export class SweepPainter {
  readonly #context: Context;
  #options: PainterOptions;
  #sweep: Sweep;
  #channels: Channel[];
  #hatch: CanvasPattern | null = null;
  #whole = true;
  #frozen = false;
  #latestMs = Number.NEGATIVE_INFINITY;

  constructor(context: Context, options: PainterOptions) {
    this.#context = context;
    this.#options = options;
    this.#sweep = sweepOf(options);
    this.#channels = options.lanes.map((lane) => ({
      trace: new Trace(options.seconds * 1000 + keepMoreMs),
      lane: { top: 0, height: 0, margin: 0 },
      scale: lane.scale,
      colour: lane.colour,
      silent: false,
    }));
    this.#layOut();
    this.#blank();
  }

  /** Takes samples of a lane; NaN is a sample that does not hold. */
  push(lane: number, startMs: number, periodMs: number, values: ArrayLike<number>): void {
    this.#channels[lane]?.trace.push(startMs, periodMs, values);
  }

  /** Says whether what is missing of a lane is known to be missing: stale, invalid, silent, not heard. */
  setSilent(lane: number, silent: boolean): void {
    const channel = this.#channels[lane];
    if (channel !== undefined) channel.silent = silent;
  }

  /** Forgets all samples: another clock of the gateway, whose times mean something else. */
  clear(): void {
    for (const channel of this.#channels) channel.trace.clear();
    this.#whole = true;
    this.#latestMs = Number.NEGATIVE_INFINITY;
    this.#blank();
  }

  /** Another place on the canvas, or another size. */
  move(place: Pick<PainterOptions, 'x' | 'y' | 'width' | 'height' | 'ratio'>): void {
    this.#options = { ...this.#options, ...place };
    this.#sweep = sweepOf(this.#options);
    this.#layOut();
    this.#whole = true;
    this.#blank();
  }

  palette(colours: { lanes: string[]; ground: string; hatch: string }): void {
    this.#options = { ...this.#options, ground: colours.ground, hatch: colours.hatch };
    this.#channels.forEach((channel, at) => (channel.colour = colours.lanes[at] ?? channel.colour));
    this.#hatch = null;
    this.#whole = true;
  }

  /** Stops only the picture; samples go on, and what came meanwhile is drawn when it is let go. */
  freeze(frozen: boolean): void {
    if (this.#frozen && !frozen) this.#whole = true;
    this.#frozen = frozen;
  }

  /** All of it is drawn anew with the next picture: the canvas was written over. */
  again(): void {
    this.#whole = true;
  }

  /** Fills the place with the ground, for whatever comes there next. */
  wipe(): void {
    this.#fillAll();
  }

  /** Draws what has become due at `nowMs`, the gateway's monotonic clock now. */
  paint(nowMs: number): void {
    if (this.#frozen || !Number.isFinite(nowMs)) return;
    const dueMs = nowMs - playoutDelayMs;
    // A clock that goes back by more than a lap is another clock: what is drawn then has no meaning.
    if (dueMs < this.#latestMs - this.#sweep.spanMs) this.#whole = true;
    this.#latestMs = Math.max(dueMs, this.#whole ? Number.NEGATIVE_INFINITY : this.#latestMs);
    const oldestMs = dueMs - this.#spanMs();
    if (this.#whole) this.#fillAll();
    this.#within(() => {
      for (const channel of this.#channels) this.#paintLane(channel, dueMs, oldestMs);
    });
    this.#whole = false;
  }

  /** Draws with the tile's own corner as the origin, and nothing beyond its edges. */
  #within(draw: () => void): void {
    const context = this.#context;
    context.save();
    context.translate(...this.#corner());
    context.beginPath();
    context.rect(0, 0, this.#sweep.widthPx, this.#heightPx());
    context.clip();
    draw();
    context.restore();
  }

  #heightPx(): number {
    return Math.round(this.#options.height * this.#options.ratio);
  }

  #corner(): [number, number] {
    const { x, y, ratio } = this.#options;
    return [Math.round(x * ratio), Math.round(y * ratio)];
  }

  /** A pixel more on each side: the element before the canvas may leave a part of one open. */
  #fillAll(): void {
    const [x, y] = this.#corner();
    this.#fill(this.#options.ground, x - 1, y - 1, this.#sweep.widthPx + 2, this.#heightPx() + 2);
  }

  /** All of it hatched, until the next picture: a canvas that is new, was given another size or lost its samples is never merely empty. */
  #blank(): void {
    this.#fillAll();
    this.#within(() => {
      for (const { lane } of this.#channels) this.#hatchColumns(lane, { from: 0, to: this.#sweep.widthPx });
    });
  }

  /** What can be seen at once: a lap without the blank before the pen. */
  #spanMs(): number {
    const { spanMs, widthPx, erasePx } = this.#sweep;
    return spanMs * (1 - Math.min(1, erasePx / widthPx));
  }

  #paintLane(channel: Channel, dueMs: number, oldestMs: number): void {
    const { trace } = channel;
    if (trace.takeRepaint() || this.#whole || trace.drawnMs < oldestMs) {
      const { top, height } = channel.lane;
      this.#fill(this.#options.ground, 0, top, this.#sweep.widthPx, height);
      trace.rewind(oldestMs);
    }
    const fromMs = trace.drawnMs;
    // A lane on which nothing is left to see is silent, whatever was said of it.
    const silent = channel.silent || (trace.newestMs ?? Number.NEGATIVE_INFINITY) < oldestMs;
    const strokes = trace.advance(dueMs, oldestMs, silent);
    const toMs = trace.drawnMs;
    if (!(toMs > fromMs)) return;
    for (const { from, to } of [...stretches(fromMs, toMs, this.#sweep), ...eraseAhead(toMs, this.#sweep)]) {
      this.#clearColumns(channel.lane, from, to);
    }
    for (const stroke of strokes) this.#stroke(channel, stroke);
  }

  #clearColumns(lane: Lane, from: number, to: number): void {
    const left = Math.ceil(from);
    this.#fill(this.#options.ground, left, lane.top, Math.ceil(to) - left, lane.height);
  }

  #stroke(channel: Channel, stroke: Stroke): void {
    if (stroke.kind === 'gap') {
      for (const stretch of stretches(stroke.fromMs, stroke.toMs, this.#sweep)) {
        this.#hatchColumns(channel.lane, stretch);
      }
      return;
    }
    const { lane, scale, colour } = channel;
    const context = this.#context;
    context.strokeStyle = colour;
    context.lineWidth = 1.5 * this.#options.ratio;
    context.lineJoin = 'round';
    // The seam between what was drawn in two frames is covered by both of them.
    context.lineCap = 'round';
    context.beginPath();
    let lap: number | null = null;
    let before: { timeMs: number; row: number } | null = null;
    stroke.times.forEach((timeMs, at) => {
      const row = rowOf(stroke.values[at] ?? Number.NaN, scale, lane);
      const column = columnOf(timeMs, this.#sweep);
      const nowLap = lapOf(timeMs, this.#sweep);
      if (before === null) context.moveTo(column, row);
      else if (nowLap === lap) context.lineTo(column, row);
      else this.#wrap(before, { timeMs, row });
      [lap, before] = [nowLap, { timeMs, row }];
    });
    context.stroke();
  }

  /** Goes on over the right edge and comes in from the left one, at the row between. */
  #wrap(from: { timeMs: number; row: number }, to: { timeMs: number; row: number }): void {
    const edgeMs = lapEnd(from.timeMs, this.#sweep);
    const part = (edgeMs - from.timeMs) / (to.timeMs - from.timeMs);
    const row = from.row + part * (to.row - from.row);
    this.#context.lineTo(this.#sweep.widthPx, row);
    this.#context.moveTo(0, row);
    this.#context.lineTo(columnOf(to.timeMs, this.#sweep), to.row);
  }

  #hatchColumns(lane: Lane, { from, to }: Stretch): void {
    this.#hatch ??= hatchPattern(this.#context, this.#options.hatch, this.#options.ratio);
    const left = Math.floor(from);
    this.#clearColumns(lane, left, to);
    if (this.#hatch !== null) this.#fill(this.#hatch, left, lane.top, Math.ceil(to) - left, lane.height);
  }

  #fill(style: string | CanvasPattern, x: number, y: number, width: number, height: number): void {
    if (!(width > 0)) return;
    this.#context.fillStyle = style;
    this.#context.fillRect(x, y, width, height);
  }

  #layOut(): void {
    const { ratio } = this.#options;
    const lanes = lanesOf(this.#heightPx(), this.#channels.length, 6 * ratio, 2 * ratio);
    this.#channels.forEach((channel, at) => (channel.lane = lanes[at] ?? channel.lane));
    this.#hatch = null;
  }
}

function sweepOf(options: PainterOptions): Sweep {
  return {
    spanMs: options.seconds * 1000,
    widthPx: Math.max(1, Math.round(options.width * options.ratio)),
    erasePx: eraseGapPx * options.ratio,
  };
}

/** Diagonal lines; as a pattern they lie alike in every stretch, so that stretches join. */
function hatchPattern(context: Context, colour: string, ratio: number): CanvasPattern | null {
  const size = Math.max(4, Math.round(8 * ratio));
  const cell = new OffscreenCanvas(size, size);
  const pen = cell.getContext('2d');
  if (pen === null) return null;
  pen.strokeStyle = colour;
  pen.lineWidth = Math.max(1, 1.5 * ratio);
  pen.beginPath();
  for (const offset of [-size, 0, size]) {
    pen.moveTo(offset - 1, size + 1);
    pen.lineTo(offset + size + 1, -1);
  }
  pen.stroke();
  return context.createPattern(cell, 'repeat');
}
