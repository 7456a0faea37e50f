// What became of a row: told once.

import type { Alarm } from '../wire/gen/ecmo/v1/alarm_pb';
import type { Link } from './link';
import { type Change, isActive, type Row } from './row';

/** Why a row may have changed. */
export type Cause =
  | { kind: 'revision'; link: number; alarm: Alarm }
  /** A snapshot came; of the same start of the gateway as before, or of another one. */
  | { kind: 'snapshot'; sameEpoch: boolean }
  /** A link was lost, or is heard again. */
  | { kind: 'link' }
  /** Another gateway took the place of the one that held it. */
  | { kind: 'replaced' };

/** Null when nothing of it is news. */
export function changeOf(
  before: Row | null,
  row: Row | null,
  cause: Cause,
  links: readonly Link[],
  local: number,
): Change | null {
  if (row !== null) {
    if (before === null) return { what: 'new', row, before: null, local };
    return changed(before, row, cause, local);
  }
  return before === null ? null : gone(before, cause, links, local);
}

function changed(before: Row, row: Row, cause: Cause, local: number): Change | null {
  const names = (of: Row, occurrence: string): boolean =>
    of.told.some((told) => told.occurrence === occurrence);
  const same = names(before, row.alarm.occurrence) || names(row, before.alarm.occurrence);
  const calls = row.calls > before.calls;
  if (!same && calls) return { what: 'new', row, before: null, local };
  // One gateway's every revision is told; of two that say the same, one.
  const alone = cause.kind === 'revision' && row.told.every((told) => told.link === cause.link);
  return alone || calls || differs(before.alarm, row.alarm)
    ? { what: 'changed', row, before: before.alarm, local }
    : null;
}

/** Two words about one alarm show a person something different. Values and times go on by themselves. */
function differs(one: Alarm, other: Alarm): boolean {
  return (
    one.present !== other.present ||
    one.lastKnown !== other.lastKnown ||
    one.escalated !== other.escalated ||
    one.redirected !== other.redirected ||
    one.signal !== other.signal ||
    one.audio !== other.audio ||
    one.priority !== other.priority ||
    one.call !== other.call ||
    one.reminders !== other.reminders ||
    one.limit !== other.limit ||
    one.acknowledgedBy !== other.acknowledgedBy
  );
}

/** Nobody holds it any more. */
function gone(before: Row, cause: Cause, links: readonly Link[], local: number): Change {
  const change = (what: Change['what'], row = before): Change => ({ what, row, before: null, local });
  switch (cause.kind) {
    case 'revision':
      if (isActive(cause.alarm)) return change('ended-unseen');
      return change('ended', { ...before, alarm: cause.alarm, link: cause.link });
    case 'link':
      return change('ended-unseen');
    case 'replaced':
      return change('forgotten');
    case 'snapshot': {
      const told = links.some((link) => link.ended.get(before.alarm.occurrence) !== undefined);
      return change(cause.sameEpoch || told ? 'ended-unseen' : 'forgotten');
    }
  }
}
