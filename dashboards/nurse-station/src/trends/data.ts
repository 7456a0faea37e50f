// From the answer about a trend to what is drawn and what stands in the table: the same numbers, null in a gap, never NaN.
import type { GapReason, TrendAnswer, TrendSeries } from '../model/trend';

/** Columns of a plot: time in s, then low, high and middle of each parameter. */
export interface PlotData {
  times: number[];
  low: (number | null)[][];
  high: (number | null)[][];
  middle: (number | null)[][];
}

const held = (value: number | null | undefined): number | null =>
  value === null || value === undefined || !Number.isFinite(value) ? null : value;

/** Middle of each bin, in seconds since 1970, as the plot wants its times. */
export function timesOf(answer: TrendAnswer): number[] {
  return Array.from(
    { length: answer.bins },
    (_, bin) => (answer.startWallMs + (bin + 0.5) * answer.binMs) / 1000,
  );
}

/** The data of a plot. A value that is no number is a gap; a bin whose one edge is missing is one, too. */
export function plotData(answer: TrendAnswer, series: readonly TrendSeries[]): PlotData {
  const edges = series.map((each) => {
    const low = Array.from({ length: answer.bins }, (_, bin) => held(each.low[bin]));
    const high = Array.from({ length: answer.bins }, (_, bin) => held(each.high[bin]));
    const both = low.map((value, bin) => value !== null && high[bin] !== null && high[bin] !== undefined);
    return {
      low: low.map((value, bin) => (both[bin] === true ? value : null)),
      high: high.map((value, bin) => (both[bin] === true ? value : null)),
    };
  });
  return {
    times: timesOf(answer),
    low: edges.map((each) => each.low),
    high: edges.map((each) => each.high),
    middle: edges.map((each) =>
      each.low.map((low, bin) => {
        const high = each.high[bin] ?? null;
        return low === null || high === null ? null : (low + high) / 2;
      }),
    ),
  };
}

/** A stretch of bins without a value. */
export interface Gap {
  /** First bin. */
  from: number;
  /** Bin after the last. */
  to: number;
  reason: GapReason;
}

/** Gaps of one parameter, each with its reason; a bin without value and reason counts as no data. */
export function gapsOf(series: TrendSeries, bins: number): Gap[] {
  const gaps: Gap[] = [];
  for (let bin = 0; bin < bins; bin += 1) {
    const hasValue = held(series.low[bin]) !== null && held(series.high[bin]) !== null;
    if (hasValue) continue;
    const reason = series.gap[bin] ?? 'no-data';
    const last = gaps.at(-1);
    if (last !== undefined && last.to === bin && last.reason === reason) last.to = bin + 1;
    else gaps.push({ from: bin, to: bin + 1, reason });
  }
  return gaps;
}

/** Gaps in which no parameter of a plot has a value: only there is the whole height hatched. */
export function commonGaps(series: readonly TrendSeries[], bins: number): Gap[] {
  const [first, ...others] = series.map((each) => gapsOf(each, bins));
  if (first === undefined) return [];
  const isGap = (gaps: readonly Gap[], bin: number): boolean =>
    gaps.some((gap) => bin >= gap.from && bin < gap.to);
  const common: Gap[] = [];
  for (const gap of first) {
    for (let bin = gap.from; bin < gap.to; bin += 1) {
      if (!others.every((each) => isGap(each, bin))) continue;
      const last = common.at(-1);
      if (last !== undefined && last.to === bin && last.reason === gap.reason) last.to = bin + 1;
      else common.push({ from: bin, to: bin + 1, reason: gap.reason });
    }
  }
  return common;
}

/** The first time of which anything was recorded, in ms; null when nothing was. */
export function recordedSince(answer: TrendAnswer): number | null {
  for (let bin = 0; bin < answer.bins; bin += 1) {
    const isRecorded = answer.series.some(
      ({ gap }) => gap[bin] !== 'not-recorded' && gap[bin] !== 'not-kept' && gap[bin] !== undefined,
    );
    if (isRecorded) return answer.startWallMs + bin * answer.binMs;
  }
  return null;
}

/** Whether a series has any value. */
export function hasValues(series: TrendSeries): boolean {
  return series.low.some((value) => held(value) !== null);
}

/** One row of the table: a stretch of time. */
export interface Row {
  wallMs: number;
  cells: ({ low: number; high: number } | { gap: GapReason })[];
}

/** Rows of the table, the newest first: bins put together so that there are at most `most`. */
export function tableRows(answer: TrendAnswer, series: readonly TrendSeries[], most: number): Row[] {
  const step = Math.max(1, Math.ceil(answer.bins / most));
  const rows: Row[] = [];
  for (let from = 0; from < answer.bins; from += step) {
    const to = Math.min(answer.bins, from + step);
    rows.push({
      wallMs: answer.startWallMs + from * answer.binMs,
      cells: series.map((each) => cellOf(each, from, to)),
    });
  }
  return rows.reverse();
}

function cellOf(series: TrendSeries, from: number, to: number): Row['cells'][number] {
  let low: number | null = null;
  let high: number | null = null;
  for (let bin = from; bin < to; bin += 1) {
    const [least, greatest] = [held(series.low[bin]), held(series.high[bin])];
    if (least === null || greatest === null) continue;
    low = low === null ? least : Math.min(low, least);
    high = high === null ? greatest : Math.max(high, greatest);
  }
  if (low === null || high === null) return { gap: series.gap[to - 1] ?? 'no-data' };
  return { low, high };
}

/** Bins with a value between two without: a line through them has no length, so that they need a mark of their own. */
export function isolatedBins(values: readonly (number | null)[]): number[] {
  const isGap = (bin: number): boolean => (values[bin] ?? null) === null;
  return values.map((_, bin) => bin).filter((bin) => !isGap(bin) && isGap(bin - 1) && isGap(bin + 1));
}
