// One alarm as it is shown: whose word a row is, what became of it, and what makes two words one row.

import type { Alarm } from '../wire/gen/ecmo/v1/alarm_pb';
import { AlarmPriority, AudioState, SignalPresence } from '../wire/gen/ecmo/v1/alarm_pb';

/** What one gateway says about a row. */
export interface Told {
  link: number;
  occurrence: string;
  revision: number;
  call: number;
}

export interface Row {
  key: string;
  /** The most serious of what the gateways say, with what a person did at any of them; its times are of the clock of `link`. */
  alarm: Alarm;
  link: number;
  /** No gateway that holds it can be heard now. */
  unheard: boolean;
  told: Told[];
  /**
   * How often it has called for a person on this display: it began to signal, came back while it signalled, or became more urgent.
   * Another gateway's name or count of the same is no call.
   */
  calls: number;
}

/** What became of a row. */
export interface Change {
  what: 'new' | 'changed' | 'ended' | 'ended-unseen' | 'forgotten';
  row: Row;
  /** As it was before, for a change. */
  before: Alarm | null;
  /** Gateway time at which it is dated, in ms; null while that clock is not known. */
  local: number;
}

export interface Missed {
  link: number;
  alarm: Alarm;
  unheard: boolean;
}

/** The same condition at the same pump is one row; a gateway's own conditions stay apart under its name. */
export function rowKey(alarm: Alarm, link: number): string {
  const own = alarm.gateway === '' ? `#${String(link)}` : alarm.gateway;
  return [alarm.ward, alarm.pump, alarm.condition, isOwn(alarm) ? own : ''].join('/');
}

/** A condition of a gateway itself. */
export function isOwn(alarm: Alarm): boolean {
  return alarm.pump === '';
}

/** The occurrence has not ended. */
export function isActive(alarm: Alarm): boolean {
  return alarm.present || alarm.signal !== SignalPresence.OFF;
}

/** Calls for a person. A signal that this page does not know calls. */
export function signals(alarm: Alarm): boolean {
  return alarm.signal !== SignalPresence.OFF && alarm.signal !== SignalPresence.ACKNOWLEDGED;
}

/** How often a row has called, by how it was shown before. */
export function callsOf(row: Row, before: Row | null): number {
  const calls = before?.calls ?? 0;
  const anew = (was: Row): boolean =>
    !signals(was.alarm) ||
    (row.alarm.present && !was.alarm.present) ||
    rank(row.alarm.priority) > rank(was.alarm.priority) ||
    // What came back while nobody listened was present before and is present now.
    (row.link === was.link &&
      row.alarm.occurrence === was.alarm.occurrence &&
      row.alarm.call > was.alarm.call);
  return signals(row.alarm) && (before === null || anew(before)) ? calls + 1 : calls;
}

/** No pause, shelf or leader keeps it quiet. A state that this page does not know is heard. */
export function isHeard(alarm: Alarm): boolean {
  switch (alarm.audio) {
    case AudioState.OFF:
    case AudioState.PAUSED:
    case AudioState.SHELVED:
    case AudioState.GROUPED:
      return false;
    default:
      return true;
  }
}

/** How urgent; the greater the more. What is not said, or not known here, counts as high. */
export function rank(priority: AlarmPriority): number {
  switch (priority) {
    case AlarmPriority.INFORMATION:
      return 0;
    case AlarmPriority.LOW:
      return 1;
    case AlarmPriority.MEDIUM:
      return 2;
    default:
      return 3;
  }
}

export function sounds(row: Row): boolean {
  return signals(row.alarm) && isHeard(row.alarm) && rank(row.alarm.priority) > 0;
}

/** Order of a list: cards last, what calls for a person first, then by priority, the older first. */
export function byUrgency(one: Row, other: Row): number {
  const order = (row: Row): number[] => [
    rank(row.alarm.priority) === 0 ? 1 : 0,
    signals(row.alarm) ? 0 : 1,
    -rank(row.alarm.priority),
    // Two gateways' monotonic clocks do not compare; their wall clocks serve for an order that people read.
    Number(row.alarm.onsetWallNs),
  ];
  const by = compare(order(one), order(other));
  if (by !== 0) return by;
  return one.key < other.key ? -1 : one.key > other.key ? 1 : 0;
}

/** Compares two lists of numbers, the first difference decides. */
export function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
