// Joins what the gateways say about one row: the most serious word of those that are heard, and what a person did at any.

import { clone } from '@bufbuild/protobuf';

import { type Alarm, AlarmSchema, AudioState, SignalPresence } from '../wire/gen/ecmo/v1/alarm_pb';
import { ms } from './clock';
import type { Link } from './link';
import { compare, isHeard, isOwn, rank, type Row, signals } from './row';

interface Held {
  link: number;
  alarm: Alarm;
}

/** The row as it is to be shown at `local`; null when nobody holds it. */
export function mergedRow(key: string, links: readonly Link[], local: number): Row | null {
  const heard: Held[] = [];
  const unheard: Held[] = [];
  for (const [index, link] of links.entries()) {
    const known = link.isKnown(local);
    for (const alarm of link.ofRow(key)) {
      const held = { link: index, alarm: withAcknowledgement(alarm, link, links) };
      if (known) {
        // What a restarted gateway had merely kept, and another has told the end of, is over.
        if (!isRestored(alarm, link, links, local) && !wasToldOver(key, alarm, link, links, local))
          heard.push(held);
      } else if (!isOver(key, alarm, link, links, local)) {
        unheard.push(held);
      }
    }
  }
  const held = heard.length > 0 ? heard : unheard;
  const first = held.reduce<Held | null>(
    (best, one) => (best === null || isMore(one, best) ? one : best),
    null,
  );
  if (first === null) return null;
  const told = held.map(({ link, alarm }) => {
    const { occurrence, revision, call } = alarm;
    return { link, occurrence, revision, call };
  });
  return { key, alarm: first.alarm, link: first.link, unheard: heard.length === 0, told, calls: 0 };
}

/** Of two words about one row the greater is shown; of two alike that of the first link. */
function isMore(one: Held, other: Held): boolean {
  return compare(seriousness(one), seriousness(other)) > 0;
}

function seriousness({ alarm }: Held): number[] {
  return [
    signals(alarm) ? 1 : 0,
    rank(alarm.priority),
    isHeard(alarm) ? 1 : 0,
    alarm.present ? 1 : 0,
    alarm.call,
    alarm.lastKnown ? 0 : 1,
    alarm.reminders,
  ];
}

/**
 * The alarm with what a person did at another gateway: an acknowledgement there counts here for the calls that it covers. A
 * gateway's own word about its own acknowledgements is final, and one that does not count calls is taken at its word.
 */
function withAcknowledgement(alarm: Alarm, link: Link, links: readonly Link[]): Alarm {
  if (!signals(alarm) || alarm.call === 0) return alarm;
  for (const other of links) {
    // A condition of a gateway itself is acknowledged at that gateway alone.
    if (other === link || (isOwn(alarm) && other.alarms.epoch !== link.alarms.epoch)) continue;
    const acknowledged = other.acknowledged.get(alarm.occurrence);
    if (acknowledged === undefined || acknowledged.call < alarm.call) continue;
    const covered = clone(AlarmSchema, alarm);
    covered.signal = SignalPresence.ACKNOWLEDGED;
    covered.audio = AudioState.OFF;
    covered.acknowledgedBy = acknowledged.by;
    covered.acknowledgedNote = acknowledged.note;
    return covered;
  }
  return alarm;
}

/** A gateway that is heard has said that what this link last held is over. */
function isOver(key: string, alarm: Alarm, link: Link, links: readonly Link[], local: number): boolean {
  return links.some((other) => {
    if (!other.isKnown(local)) return false;
    if (isOwn(alarm) && other.alarms.epoch !== link.alarms.epoch) return false;
    const ended = other.ended.get(alarm.occurrence);
    if (ended !== undefined && ended.call >= alarm.call) return true;
    // It ended there after the last word that came from here.
    const rowEnded = other.endedRows.get(key);
    return rowEnded !== undefined && rowEnded > link.lastWord;
  });
}

/** What a restarted gateway holds is only what it had kept: another that is heard told before that it ended, at this call. */
function isRestored(alarm: Alarm, link: Link, links: readonly Link[], local: number): boolean {
  const since = link.restartedAt;
  if (since === null || link.restores(local) === null || isOwn(alarm) || alarm.call === 0) return false;
  return links.some((other) => {
    if (other === link || other.holds(alarm.occurrence) || !other.isKnown(local)) return false;
    const told = other.ended.get(alarm.occurrence);
    return told !== undefined && told.call >= alarm.call && told.at < since;
  });
}

/**
 * Whether any gateway, heard or lost, has told the end of what this one goes on from: it was started anew since then, and has not
 * judged it yet.
 */
function wasToldOver(key: string, alarm: Alarm, link: Link, links: readonly Link[], local: number): boolean {
  const since = link.restartedAt;
  if (!alarm.lastKnown || since === null) return false;
  const now = link.alarms.clock.now(local);
  return links.some((other) => {
    // A condition of a gateway itself is known to that gateway alone.
    if (other !== link && isOwn(alarm)) return false;
    const told = other.ended.get(alarm.occurrence);
    if (told !== undefined) return told.call >= alarm.call && told.at < since;
    // Of one that has called again its onset does not tell whether it did so after an end under another name.
    if (alarm.call > 1) return false;
    // It ended there after this one began.
    const row = other.endedRows.get(key);
    return row !== undefined && row < since && now !== null && local - row < now - ms(alarm.onsetMonoNs);
  });
}
