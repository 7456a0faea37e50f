// A trend as the gateway has kept it, with what this display has recorded of the last hour: the newest is not on disk yet. Pure.

import { AlarmTransition } from '../wire/gen/ecmo/v1/alarm_pb';
import { Validity } from '../wire/gen/ecmo/v1/frame_pb';
import { type AlarmRevision, type HistoryGap, HistoryGapReason } from '../wire/gen/ecmo/v1/history_pb';
import type { QueryTrendResponse } from '../wire/gen/ecmo/v1/history_service_pb';
import { priorityOf } from './convert';
import type { GapReason, TrendAnswer, TrendSeries } from './trend';

const REASONS: Readonly<Record<HistoryGapReason, GapReason>> = {
  [HistoryGapReason.UNSPECIFIED]: 'not-kept',
  [HistoryGapReason.NOT_RUNNING]: 'not-running',
  [HistoryGapReason.NOT_RECEIVED]: 'not-received',
  [HistoryGapReason.AGENT_RESTARTED]: 'agent-restarted',
  [HistoryGapReason.NOT_RECORDED]: 'disk',
  [HistoryGapReason.CLOCK_SET]: 'clock-set',
  [HistoryGapReason.DAMAGED]: 'damaged',
};

const msOf = (wallNs: bigint): number => Number(wallNs / 1_000n) / 1_000;

/** Why samples have no value. One beyond the range of its sensor is an excursion, and said before all else. */
function absenceOf(reasons: readonly Validity[]): GapReason {
  if (reasons.includes(Validity.BELOW_RANGE)) return 'below-range';
  if (reasons.includes(Validity.ABOVE_RANGE)) return 'above-range';
  return reasons.includes(Validity.COMM_LOST) ? 'no-data' : 'invalid';
}

/** Bins of a trend: where each begins. */
interface Bins {
  startWallMs: number;
  binMs: number;
  bins: number;
}

/** What this display saw within each bin; a value of its own stands in the bin in which its middle lies. */
function seenIn(recent: TrendAnswer, parameter: string, of: Bins): { low: number; high: number }[] {
  const seen = Array.from({ length: of.bins }, () => ({ low: Infinity, high: -Infinity }));
  const own = recent.series.find((one) => one.parameter === parameter);
  own?.low.forEach((low, bin) => {
    const high = own.high[bin] ?? null;
    const middle = recent.startWallMs + (bin + 0.5) * recent.binMs;
    const place = seen[Math.floor((middle - of.startWallMs) / of.binMs)];
    if (low === null || high === null || place === undefined) return;
    place.low = Math.min(place.low, low);
    place.high = Math.max(place.high, high);
  });
  return seen;
}

/** The reason of the gap that covers most of a bin; null where none reaches into it. */
function gapIn(gaps: readonly HistoryGap[], fromMs: number, toMs: number): GapReason | null {
  let [reason, most]: [GapReason | null, number] = [null, 0];
  for (const gap of gaps) {
    const covered = Math.min(toMs, msOf(gap.toWallNs)) - Math.max(fromMs, msOf(gap.fromWallNs));
    if (covered <= most) continue;
    [reason, most] = [REASONS[gap.reason], covered];
  }
  return reason;
}

/**
 * What the gateway keeps, each bin widened by what this display has seen in it: an excursion that only one of them knows of stays
 * one. `recent` is the display's own record in bins that are no wider than those of the gateway.
 */
export function keptTrend(
  kept: QueryTrendResponse,
  recent: TrendAnswer,
  marks: TrendAnswer['marks'],
): TrendAnswer {
  const bins = Math.max(0, ...kept.series.map(({ count }) => count.length));
  const of: Bins = { startWallMs: msOf(kept.fromWallNs), binMs: msOf(kept.widthNs), bins };
  const series = kept.series.map((each): TrendSeries => {
    const absences = new Map(each.absences.map(({ bucket, reasons }) => [bucket, absenceOf(reasons)]));
    const told: TrendSeries = { parameter: each.parameter, unit: each.unit, low: [], high: [], gap: [] };
    seenIn(recent, each.parameter, of).forEach((seen, bin) => {
      const isKept = (each.count[bin] ?? 0n) > 0n;
      const low = Math.min(seen.low, isKept ? (each.min[bin] ?? Infinity) : Infinity);
      const high = Math.max(seen.high, isKept ? (each.max[bin] ?? -Infinity) : -Infinity);
      const from = of.startWallMs + bin * of.binMs;
      const isNothing = !Number.isFinite(low) || !Number.isFinite(high);
      told.low.push(isNothing ? null : low);
      told.high.push(isNothing ? null : high);
      told.gap.push(
        isNothing ? (absences.get(bin) ?? gapIn(kept.gaps, from, from + of.binMs) ?? 'no-data') : null,
      );
    });
    if (told.unit === '')
      told.unit = recent.series.find(({ parameter }) => parameter === told.parameter)?.unit ?? '';
    return told;
  });
  return { ...of, series, marks, source: 'gateway', damaged: Number(kept.damagedRecords) };
}

/** Whether an alarm is over with this revision. */
function isEnd({ alarm }: AlarmRevision): boolean {
  const { transition, present = false } = alarm ?? {};
  return transition === AlarmTransition.ENDED || (!present && transition === AlarmTransition.ACKNOWLEDGED);
}

/**
 * Alarms of the past from their revisions, in any order: from the first that is told of each to its end. What is shown now stands in
 * `present` with its own begin; what is neither over nor shown ends with the last word about it.
 */
export function keptMarks(
  revisions: readonly AlarmRevision[],
  present: TrendAnswer['marks'],
): TrendAnswer['marks'] {
  const marks = new Map<string, TrendAnswer['marks'][number] & { isOver: boolean }>();
  const inOrder = [...revisions].sort((one, other) => Number(one.atWallNs - other.atWallNs));
  for (const revision of inOrder) {
    const { alarm, atWallNs } = revision;
    if (alarm === undefined) continue;
    const at = msOf(atWallNs);
    const known = marks.get(alarm.occurrence);
    const begin = { wallMs: at, condition: alarm.condition, priority: priorityOf(alarm.priority) };
    const isOver = isEnd(revision);
    if (known === undefined) marks.set(alarm.occurrence, { ...begin, endWallMs: at, isOver });
    else Object.assign(known, { endWallMs: at, isOver });
  }
  const now = new Set(present.map(({ condition }) => condition));
  const ended = [...marks.values()]
    .filter(({ condition, isOver }) => isOver || !now.has(condition))
    .map(({ wallMs, endWallMs, condition, priority }) => ({ wallMs, endWallMs, condition, priority }));
  return [...ended, ...present].sort((one, other) => one.wallMs - other.wallMs);
}

/** What a gateway keeps of a span, with what this display recorded of all of it, and of the last hour in its finest bins. */
export function keptAnswer(
  { trend, revisions }: { trend: QueryTrendResponse; revisions: readonly AlarmRevision[] },
  recorded: TrendAnswer,
  recent: TrendAnswer,
): TrendAnswer {
  if (trend.widthNs === 0n) return recorded;
  const present = recorded.marks.filter(({ endWallMs }) => endWallMs === null);
  return keptTrend(trend, recent, keptMarks(revisions, present));
}
