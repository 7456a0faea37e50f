// Rows as they are painted.

import type { Alarm } from '../wire/gen/ecmo/v1/alarm_pb';
import { ms } from './clock';
import { audioOf, kindOf, priorityOf, reasonOf, scopeOf, sideOf, stateOf } from './convert';
import type { AlarmRow } from './picture';
import { isActive, isOwn, type Row, signals, sounds } from './row';

/** What a row's picture needs beside the row. */
export interface RowSetting {
  /** The time of the gateway whose word it is, in ms; null while it is not known. */
  now: number | null;
  bed: string;
  /** Name of a gateway by its link. */
  name: (link: number) => string;
}

export function alarmRow(row: Row, setting: RowSetting): AlarmRow {
  const { alarm } = row;
  const age = (at: bigint | undefined): number | null => {
    return at === undefined || at === 0n || setting.now === null ? null : Math.max(0, setting.now - ms(at));
  };
  const until = alarm.audioUntilMonoNs;
  return {
    ...named(row, setting),
    state: stateOf(alarm.signal, isActive(alarm)),
    lastKnown: alarm.lastKnown || row.unheard,
    unheard: row.unheard,
    signals: signals(alarm),
    sounds: sounds(row),
    ...measured(alarm, age),
    onsetWallMs: ms(alarm.onsetWallNs),
    sinceMs: age(alarm.onsetMonoNs),
    ackBy: alarm.acknowledgedBy,
    ackNote: alarm.acknowledgedNote,
    ackAgeMs: age(alarm.acknowledgedMonoNs),
    audio: audioOf(alarm.audio),
    audioLeftMs: until === undefined || setting.now === null ? null : Math.max(0, ms(until) - setting.now),
    audioBy: alarm.audioBy,
    pauseScope: scopeOf(alarm.pauseScope),
    canAcknowledge: signals(alarm) && !row.unheard,
  };
}

function named(
  { key, alarm, told, calls }: Row,
  { bed, name }: RowSetting,
): Pick<
  AlarmRow,
  | 'key'
  | 'occurrence'
  | 'revision'
  | 'coversFrom'
  | 'call'
  | 'ward'
  | 'pump'
  | 'bed'
  | 'condition'
  | 'kind'
  | 'priority'
  | 'ledBy'
  | 'rule'
  | 'escalated'
  | 'reminders'
  | 'redirected'
  | 'unreviewed'
  | 'gateway'
  | 'toldBy'
> {
  const { occurrence, revision, coversFrom, ward, pump, condition, ledBy, rule } = alarm;
  const { escalated, reminders, redirected, unreviewed } = alarm;
  return {
    ...{ key, occurrence, revision, coversFrom, call: calls, ward, pump, bed, condition, ledBy, rule },
    ...{ escalated, reminders, redirected, unreviewed },
    kind: kindOf(alarm.kind),
    priority: priorityOf(alarm.priority),
    gateway: isOwn(alarm) && alarm.gateway !== '' ? alarm.gateway : name(told[0]?.link ?? 0),
    toldBy: told.map((one) => name(one.link)),
  };
}

function measured(
  alarm: Alarm,
  age: (at: bigint | undefined) => number | null,
): Pick<AlarmRow, 'parameter' | 'unit' | 'value' | 'valueAgeMs' | 'worst' | 'limit' | 'side' | 'reason'> {
  const number = (value: number | undefined): number | null => {
    return value !== undefined && Number.isFinite(value) ? value : null;
  };
  const { parameter, unit } = alarm;
  return {
    parameter,
    unit,
    value: number(alarm.value),
    valueAgeMs: age(alarm.valueMonoNs),
    worst: number(alarm.worst),
    limit: number(alarm.limit),
    side: sideOf(alarm.limitSide),
    reason: alarm.value === undefined && alarm.validity !== 0 ? reasonOf(alarm.validity) : null,
  };
}
