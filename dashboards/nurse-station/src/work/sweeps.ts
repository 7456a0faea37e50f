// The sweeps of all tiles: hands samples to their painters and paints them at 30 pictures a second.

import { SweepPainter } from '../draw/painter';
import type { WaveformUpdate } from '../wire/gen/ecmo/v1/pump_service_pb';
import { Ring, samplesOf } from './rings';
import type { SurfaceLook, SweepOptions, SweepPlace } from './station';

/** Every second picture of a screen that shows 60 is enough: 30 a second. */
const PAINT_EVERY_MS = 31;

interface Surface {
  context: OffscreenCanvasRenderingContext2D;
  look: SurfaceLook;
}

interface Sweep {
  surface: number;
  options: SweepOptions;
  painter: SweepPainter;
  key: string;
}

/** What the sweeps ask of the rest. */
export interface SweepSetting {
  /** Time now of the gateway that this pump's samples come from, in ms; null while it is not known. */
  now: (key: string) => number | null;
  /** Other waveforms are wanted than before. */
  onChoice: () => void;
}

export class Sweeps {
  private readonly surfaces = new Map<number, Surface>();
  private readonly sweeps = new Map<number, Sweep>();
  private readonly rings = new Map<string, Ring>();
  /** Parameters of each pump that were ever asked for: none is given up, so that one that is shown again begins full. */
  private readonly wanted = new Map<string, Set<string>>();
  private silent = new Map<string, ReadonlySet<string> | 'all'>();
  private paintedAt = 0;

  constructor(private readonly setting: SweepSetting) {}

  /** Takes a canvas. */
  open(number: number, canvas: OffscreenCanvas, look: SurfaceLook): void {
    const context = canvas.getContext('2d', { alpha: false, desynchronized: false });
    if (context === null) return;
    fit(context, look);
    this.surfaces.set(number, { context, look });
  }

  /** A canvas that is given another size is empty. */
  dress(number: number, look: SurfaceLook): void {
    const surface = this.surfaces.get(number);
    if (surface === undefined) return;
    surface.look = look;
    fit(surface.context, look);
    for (const { options, painter } of this.on(number)) painter.move({ ...options.place, ratio: look.ratio });
  }

  close(number: number): void {
    this.surfaces.delete(number);
    for (const [at, sweep] of this.sweeps) if (sweep.surface === number) this.sweeps.delete(at);
  }

  attach(number: number, surface: number, options: SweepOptions): void {
    const on = this.surfaces.get(surface);
    if (on === undefined) return;
    const { ward, pump, lanes, place, seconds, ground, hatch } = options;
    const key = `${ward}/${pump}`;
    const painterLanes = lanes.map(({ low, high, colour }) => ({ scale: { low, high }, colour }));
    const more = { ratio: on.look.ratio, seconds, ground, hatch };
    const painter = new SweepPainter(on.context, { lanes: painterLanes, ...place, ...more });
    this.sweeps.set(number, { surface, options, painter, key });
    this.fill(painter, options, key);
    this.want(
      key,
      lanes.map(({ parameter }) => parameter),
    );
    this.tellSilent(painter, options, key);
  }

  /** What lies where it was, or where it is now, is drawn anew. */
  move(number: number, place: SweepPlace): void {
    const sweep = this.sweeps.get(number);
    const ratio = this.surfaces.get(sweep?.surface ?? -1)?.look.ratio;
    if (sweep === undefined || ratio === undefined) return;
    sweep.painter.wipe();
    sweep.options = { ...sweep.options, place };
    sweep.painter.move({ ...place, ratio });
    for (const { painter } of this.on(sweep.surface)) painter.again();
  }

  palette(number: number, colours: { lanes: string[]; ground: string; hatch: string }): void {
    this.sweeps.get(number)?.painter.palette(colours);
  }

  freeze(number: number, frozen: boolean): void {
    this.sweeps.get(number)?.painter.freeze(frozen);
  }

  detach(number: number): void {
    const sweep = this.sweeps.get(number);
    if (sweep === undefined) return;
    this.sweeps.delete(number);
    sweep.painter.wipe();
    for (const { painter } of this.on(sweep.surface)) painter.again();
  }

  /** Which waveforms are wanted, for the next subscription. */
  choice(): { ward: string; pump: string; parameters: string[] }[] {
    return [...this.wanted].map(([key, parameters]) => {
      const [ward = '', pump = ''] = key.split('/');
      return { ward, pump, parameters: [...parameters] };
    });
  }

  /** Samples of one frame came. */
  push(update: WaveformUpdate): void {
    const key = `${update.ward}/${update.pump}`;
    for (const block of update.blocks) {
      const { startMs, stepMs, values } = samplesOf(block);
      const ring = this.ring(key, block.parameter);
      ring.push(startMs, stepMs, values);
      for (const { key: of, options, painter } of this.sweeps.values()) {
        if (of !== key) continue;
        const lane = options.lanes.findIndex(({ parameter }) => parameter === block.parameter);
        if (lane >= 0) painter.push(lane, startMs, ring.stepMs, values);
      }
    }
  }

  /** Another gateway, or another start of it, tells the time: what was before has no place on it. */
  clear(): void {
    for (const ring of this.rings.values()) ring.clear();
    for (const { painter } of this.sweeps.values()) painter.clear();
  }

  /** Of which parameters of each pump nothing is known now: missing time of them is hatched. */
  setSilent(silent: Map<string, ReadonlySet<string> | 'all'>): void {
    this.silent = silent;
    for (const { painter, options, key } of this.sweeps.values()) this.tellSilent(painter, options, key);
  }

  /** To be called as often as the screen can show something, with the time of its frame: that is even, and now is not. */
  paint(frameAt: number): void {
    if (frameAt - this.paintedAt < PAINT_EVERY_MS) return;
    this.paintedAt = frameAt;
    for (const { painter, key } of this.sweeps.values()) {
      const now = this.setting.now(key);
      if (now !== null) painter.paint(now);
    }
  }

  ringOf(key: string, parameter: string): Ring | undefined {
    return this.rings.get(`${key}/${parameter}`);
  }

  private on(surface: number): Sweep[] {
    return [...this.sweeps.values()].filter((sweep) => sweep.surface === surface);
  }

  private tellSilent(painter: SweepPainter, options: SweepOptions, key: string): void {
    const silent = this.silent.get(key) ?? 'all';
    for (const [lane, { parameter }] of options.lanes.entries()) {
      painter.setSilent(lane, silent === 'all' || silent.has(parameter));
    }
  }

  /** A sweep begins with what is known already. */
  private fill(painter: SweepPainter, options: SweepOptions, key: string): void {
    const now = this.setting.now(key);
    if (now === null) return;
    for (const [lane, { parameter }] of options.lanes.entries()) {
      const ring = this.ringOf(key, parameter);
      for (const { timeMs, value } of ring?.since(now - options.seconds * 1_000) ?? []) {
        painter.push(lane, timeMs, ring?.stepMs ?? 0, [value]);
      }
    }
  }

  private want(key: string, parameters: readonly string[]): void {
    const known = this.wanted.get(key) ?? new Set<string>();
    const before = known.size;
    for (const parameter of parameters) known.add(parameter);
    this.wanted.set(key, known);
    if (known.size > before) this.setting.onChoice();
  }

  private ring(key: string, parameter: string): Ring {
    const name = `${key}/${parameter}`;
    const known = this.rings.get(name);
    if (known !== undefined) return known;
    const ring = new Ring();
    this.rings.set(name, ring);
    return ring;
  }
}

function fit(
  context: OffscreenCanvasRenderingContext2D,
  { width, height, ratio, ground }: SurfaceLook,
): void {
  const { canvas } = context;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  context.fillStyle = ground;
  context.fillRect(0, 0, canvas.width, canvas.height);
}
