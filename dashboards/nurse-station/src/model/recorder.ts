// What this display has recorded since it was opened: least and greatest value of each bin, and why a bin is empty.

import type { Tile } from './picture';
import type { GapReason, TrendSeries } from './trend';

/** Two resolutions: an hour of 5 s, and 72 hours of 5 min. */
export const RESOLUTIONS = [
  { binMs: 5_000, bins: 720 },
  { binMs: 300_000, bins: 864 },
] as const;

/** The span of which the finest bins are kept, in ms. */
export const RECENT_MS = RESOLUTIONS[0].binMs * RESOLUTIONS[0].bins;

const REASONS: GapReason[] = ['not-recorded', 'no-data', 'invalid', 'link-lost', 'not-fitted'];

/** Bins of one parameter at one resolution; the newest takes the place of the oldest. */
class Bins {
  private readonly low: Float32Array;
  private readonly high: Float32Array;
  private readonly gap: Uint8Array;
  /** Number of the newest bin; those that were never reached were not recorded. */
  private newest: number | null = null;
  private first = 0;

  constructor(
    private readonly binMs: number,
    private readonly bins: number,
  ) {
    this.low = new Float32Array(bins).fill(NaN);
    this.high = new Float32Array(bins).fill(NaN);
    this.gap = new Uint8Array(bins);
  }

  value(value: number, atMs: number): void {
    const place = this.place(atMs);
    if (place === null) return;
    // Math.min with what is not there yet would be NaN.
    const [low, high] = [this.low[place] ?? NaN, this.high[place] ?? NaN];
    this.low[place] = Number.isNaN(low) ? value : Math.min(low, value);
    this.high[place] = Number.isNaN(high) ? value : Math.max(high, value);
  }

  /** Why nothing is measured at a time; counts where the whole bin stays empty. */
  nothing(reason: GapReason, atMs: number): void {
    const place = this.place(atMs);
    if (place !== null) this.gap[place] = REASONS.indexOf(reason);
  }

  read(endBin: number, count: number): Pick<TrendSeries, 'low' | 'high' | 'gap'> {
    const numbers = Array.from({ length: count }, (_, index) => endBin - count + 1 + index);
    const of = (bin: number): [number | null, number | null, GapReason | null] => {
      const isKept =
        this.newest !== null && bin <= this.newest && bin > this.newest - this.bins && bin >= this.first;
      if (!isKept) return [null, null, 'not-recorded'];
      const place = bin % this.bins;
      const [low, high] = [this.low[place] ?? NaN, this.high[place] ?? NaN];
      if (Number.isNaN(low)) return [null, null, REASONS[this.gap[place] ?? 0] ?? 'no-data'];
      return [low, high, null];
    };
    const read = numbers.map(of);
    return {
      low: read.map(([low]) => low),
      high: read.map(([, high]) => high),
      gap: read.map(([, , gap]) => gap),
    };
  }

  /** The place of a time; null when it lies too far back. Bins that were jumped over are empty: nobody looked. */
  private place(atMs: number): number | null {
    const bin = Math.floor(atMs / this.binMs);
    if (this.newest === null) {
      this.first = bin;
      this.newest = bin - 1;
    }
    if (bin <= this.newest - this.bins || bin < this.first) return null;
    for (let one = Math.max(this.newest + 1, bin - this.bins + 1); one <= bin; one += 1) {
      const place = one % this.bins;
      this.low[place] = NaN;
      this.high[place] = NaN;
      this.gap[place] = 0;
    }
    this.newest = Math.max(this.newest, bin);
    return bin % this.bins;
  }
}

interface Series {
  unit: string;
  resolutions: Bins[];
}

export class Recorder {
  private readonly series = new Map<string, Series>();

  /** What is shown of all pumps at `local`. */
  observe(tiles: readonly Tile[], local: number): void {
    for (const tile of tiles) {
      for (const { parameter, unit, state, value, ageMs } of tile.values) {
        const bins = this.of(`${tile.key}/${parameter}`, unit).resolutions;
        const isNow = state === 'live' || state === 'late' || state === 'standby';
        for (const one of bins) {
          // A value has its place where it was measured, not where it came.
          if (isNow && value !== null && ageMs !== null) one.value(value, Math.max(0, local - ageMs));
          else one.nothing(reasonOf(tile, state), local);
        }
      }
    }
  }

  /** The last `spanMs` up to `local`; bins end with the one that is being filled. */
  read(
    key: string,
    parameters: readonly string[],
    spanMs: number,
    local: number,
  ): { series: TrendSeries[]; startMs: number; binMs: number; bins: number } {
    const index = spanMs <= RESOLUTIONS[0].binMs * RESOLUTIONS[0].bins ? 0 : 1;
    const { binMs, bins: most } = RESOLUTIONS[index];
    const bins = Math.max(1, Math.min(most, Math.round(spanMs / binMs)));
    const end = Math.floor(local / binMs);
    const series = parameters.map((parameter) => {
      const known = this.series.get(`${key}/${parameter}`);
      const read = known?.resolutions[index]?.read(end, bins);
      return { parameter, unit: known?.unit ?? '', ...(read ?? unrecorded(bins)) };
    });
    return { series, startMs: (end - bins + 1) * binMs, binMs, bins };
  }

  private of(name: string, unit: string): Series {
    const known = this.series.get(name);
    if (known !== undefined) return known;
    const made = { unit, resolutions: RESOLUTIONS.map(({ binMs, bins }) => new Bins(binMs, bins)) };
    this.series.set(name, made);
    return made;
  }
}

function reasonOf(tile: Tile, state: string): GapReason {
  if (tile.data === 'unheard') return 'link-lost';
  return state === 'invalid' ? 'invalid' : 'no-data';
}

function unrecorded(bins: number): Pick<TrendSeries, 'low' | 'high' | 'gap'> {
  const nothing = new Array<null>(bins).fill(null);
  return { low: nothing, high: [...nothing], gap: new Array<GapReason>(bins).fill('not-recorded') };
}
