// One channel on its way to the glass: what was measured, and what of it the pen has not drawn yet.

/** Samples that a trace keeps at most: 30 s at 500 Hz. The oldest are forgotten. */
export const samplesMax = 15_000;

/** So many are forgotten at once, because it costs as much as one. */
const forgetAtOnce = 256;

/** How many sample periods may be missing before a line is a gap. */
const gapPeriods = 2.5;

/** What the pen does next. Times in ms of the gateway's monotonic clock, values in the channel's unit. */
export type Stroke =
  | { kind: 'line'; times: number[]; values: number[] }
  /** Nothing was measured, or nothing that holds: hatched, never bridged. */
  | { kind: 'gap'; fromMs: number; toMs: number };

/** A channel's samples in the order of their time, and how far they are drawn. */
export class Trace {
  readonly #times: number[] = [];
  readonly #values: number[] = [];
  #periodMs = 0;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #repaint = false;
  readonly #keepMs: number;

  /** Keeps what is at most `keepMs` older than its newest sample. */
  constructor(keepMs = Number.POSITIVE_INFINITY) {
    this.#keepMs = keepMs;
  }

  /** The newest sample's time, in ms; none before the first. */
  get newestMs(): number | null {
    return this.#times.at(-1) ?? null;
  }

  /** How far the pen got, in ms: minus infinity before it began. */
  get drawnMs(): number {
    return this.#drawnMs;
  }

  /**
   * Takes samples that begin at `startMs` with `periodMs` between them; NaN is a sample that does not hold.
   * What is known already changes nothing. What comes late for its time is put there, and asks for a repaint.
   */
  push(startMs: number, periodMs: number, values: ArrayLike<number>): void {
    if (!(periodMs > 0) || !Number.isFinite(startMs)) return;
    this.#periodMs = periodMs;
    for (let at = 0; at < values.length; at += 1) {
      this.#put(startMs + at * periodMs, values[at] ?? Number.NaN);
    }
    const old = this.#firstAfter((this.newestMs ?? 0) - this.#keepMs);
    if (old >= forgetAtOnce) this.#forget(old);
    this.#forget(this.#times.length - samplesMax);
  }

  #forget(count: number): void {
    if (count <= 0) return;
    this.#times.splice(0, count);
    this.#values.splice(0, count);
  }

  #put(timeMs: number, value: number): void {
    const newest = this.newestMs;
    // Half a period: the same sample told again differs by rounding only.
    const same = this.#periodMs / 2;
    if (newest === null || timeMs > newest + same) {
      this.#times.push(timeMs);
      this.#values.push(value);
      if (timeMs < this.#drawnMs) this.#repaint = true;
      return;
    }
    const place = this.#firstAfter(timeMs - same);
    const there = this.#times[place];
    if (there !== undefined && there <= timeMs + same) return;
    this.#times.splice(place, 0, timeMs);
    this.#values.splice(place, 0, value);
    if (timeMs < this.#drawnMs) this.#repaint = true;
  }

  /** Index of the first sample later than `timeMs`. */
  #firstAfter(timeMs: number): number {
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] ?? Number.POSITIVE_INFINITY) > timeMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Forgets everything: another clock, another patient. */
  clear(): void {
    this.#times.length = 0;
    this.#values.length = 0;
    this.#drawnMs = Number.NEGATIVE_INFINITY;
    this.#repaint = false;
  }

  /** True once after something came that belongs behind the pen: the lane must be drawn again. */
  takeRepaint(): boolean {
    const repaint = this.#repaint;
    this.#repaint = false;
    return repaint;
  }

  /** Puts the pen back, so that the next strokes begin at `fromMs`. */
  rewind(fromMs: number): void {
    this.#drawnMs = fromMs;
  }

  /**
   * The strokes from where the pen is to `untilMs`, and moves it there; never beyond the newest sample, unless the trace is
   * `silent` (its data is stale or withdrawn): then what is missing until now is a gap that grows.
   */
  advance(untilMs: number, oldestMs: number, silent: boolean): Stroke[] {
    const newest = this.newestMs;
    const end = silent ? untilMs : Math.min(untilMs, newest ?? Number.NEGATIVE_INFINITY);
    const begin = Math.max(this.#drawnMs, oldestMs);
    if (!(end > begin)) return [];
    const strokes = this.#strokes(begin, end, newest ?? Number.NEGATIVE_INFINITY);
    this.#drawnMs = end;
    return strokes;
  }

  #strokes(begin: number, end: number, newest: number): Stroke[] {
    const gapMs = gapPeriods * this.#periodMs;
    const out = new Strokes(gapMs, begin);
    const first = this.#firstAfter(begin);
    const before = this.#times[first - 1];
    // The last sample before the pen joins on.
    if (before !== undefined) out.sample(before, this.#values[first - 1] ?? Number.NaN);
    let at = first;
    for (; at < this.#times.length; at += 1) {
      const timeMs = this.#times[at] ?? Number.POSITIVE_INFINITY;
      if (timeMs > end) break;
      out.sample(timeMs, this.#values[at] ?? Number.NaN);
    }
    const next = this.#times[at];
    const last = this.#times[at - 1];
    const missing = next === undefined ? end > newest : last === undefined || next - last > gapMs;
    return out.finish(end, missing);
  }
}

/** Joins samples to lines, and what lies between lines to gaps. */
class Strokes {
  readonly #done: Stroke[] = [];
  readonly #gapMs: number;
  readonly #beginMs: number;
  #line: { kind: 'line'; times: number[]; values: number[] } | null = null;
  /** The last moment that is accounted for. */
  #lastMs: number;
  /** Nothing that holds is known of the time since then. */
  #broken = true;

  constructor(gapMs: number, beginMs: number) {
    this.#gapMs = gapMs;
    this.#beginMs = beginMs;
    this.#lastMs = beginMs;
  }

  sample(timeMs: number, value: number): void {
    const holds = Number.isFinite(value);
    const isJoin = timeMs <= this.#beginMs;
    if (!isJoin && (this.#broken || timeMs - this.#lastMs > this.#gapMs)) this.#gap(timeMs);
    this.#broken = !holds;
    this.#lastMs = timeMs;
    if (!holds) {
      this.#close();
      return;
    }
    this.#line ??= { kind: 'line', times: [], values: [] };
    this.#line.times.push(timeMs);
    this.#line.values.push(value);
  }

  finish(endMs: number, missing: boolean): Stroke[] {
    if (missing || this.#broken) this.#gap(endMs);
    this.#close();
    return this.#done;
  }

  /** A gap from what is accounted for, or from the pen, to a moment. */
  #gap(toMs: number): void {
    this.#close();
    const fromMs = Math.max(this.#lastMs, this.#beginMs);
    if (!(toMs > fromMs)) return;
    const before = this.#done.at(-1);
    if (before?.kind === 'gap' && before.toMs === fromMs) before.toMs = toMs;
    else this.#done.push({ kind: 'gap', fromMs, toMs });
  }

  #close(): void {
    // A point that only joins on is drawn already.
    const line = this.#line;
    if (line !== null && (line.times.at(-1) ?? 0) > this.#beginMs) this.#done.push(line);
    this.#line = null;
  }
}
