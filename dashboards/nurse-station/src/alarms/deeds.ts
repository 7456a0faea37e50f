// What a person is about to do, checked before it is sent, and sent: exactly what was shown, nothing else.
import type { Act, Outcome, PauseWhat, Pump, ShownAlarm } from '../act/act';
import type { AlarmRow, ContextName } from '../model/picture';
import { conditionName, say, type Key } from '../words/say';

import { attempts } from './attempts.svelte';

/** One alarm as it was shown when the button was pressed. */
export interface Shown extends ShownAlarm {
  key: string;
  /** What it said, in words. */
  text: string;
}

/** What is asked for. */
export type Ask =
  | { kind: 'acknowledge'; shown: Shown[] }
  | { kind: 'pause'; what: PauseWhat; about: string }
  | { kind: 'shelve'; occurrence: string; condition: string }
  | { kind: 'accept' | 'reject' | 'hand-over'; pump: Pump }
  | { kind: 'context'; pump: Pump };

/** What a person enters. */
export interface Entry {
  by: string;
  note: string;
  reason: string;
  minutes: string;
  to: string;
  context: ContextName;
}

/** Longest note and reason that the gateway takes. */
export const NOTE_MAX = 256;
/** Longest pause that the gateway takes, in seconds. */
export const PAUSE_S = 120;
/** Minutes that may be asked for; the profile may allow fewer, and then the gateway says so. */
export const MINUTES = { low: 1, high: 1440 } as const;

/** Conditions that no gateway shelves: air, disconnection, pump stop, loss of data. It has the last word. */
const NEVER_SHELVED =
  /^(pump\.stop|circuit\.disconnection|post\.low|air\.|comm\.(stale|console_silent|broker)|source\.duplicate|gateway\.overload|delivery\.unconfirmed)/;

/** Whether the shelving of an alarm is offered. */
export function canShelve(row: AlarmRow): boolean {
  const isTold = row.signals && row.pump !== '' && !row.unheard;
  return isTold && row.priority !== 'high' && row.audio !== 'shelved' && !NEVER_SHELVED.test(row.condition);
}

/** The alarm as it is shown now. */
export function shownOf(row: AlarmRow, text: string): Shown {
  return { key: row.key, occurrence: row.occurrence, revision: row.revision, text };
}

export type Field = keyof Entry;

/** Which fields an action asks for, in order. */
export function fieldsOf(ask: Ask): Field[] {
  switch (ask.kind) {
    case 'acknowledge':
      return ['by', 'note'];
    case 'shelve':
      return ['by', 'minutes', 'reason'];
    case 'hand-over':
      return ['by', 'to'];
    case 'context':
      return ['by', 'context', 'minutes'];
    case 'pause':
    case 'accept':
    case 'reject':
      return ['by'];
  }
}

/** Whole minutes within the bounds; null for everything else. */
export function minutesOf(text: string): number | null {
  if (!/^\d{1,4}$/.test(text.trim())) return null;
  const minutes = Number(text);
  return minutes >= MINUTES.low && minutes <= MINUTES.high ? minutes : null;
}

/** What is wrong with the entry, by field; empty when it may be sent. */
export function wrongIn(ask: Ask, entry: Entry): Partial<Record<Field, Key>> {
  const fields = fieldsOf(ask);
  const wrong: Partial<Record<Field, Key>> = {};
  if (entry.by.trim() === '') wrong.by = 'act.need_name';
  if (fields.includes('reason') && entry.reason.trim() === '') wrong.reason = 'act.need_reason';
  if (fields.includes('to') && entry.to.trim() === '') wrong.to = 'act.need_to';
  if (fields.includes('minutes') && minutesOf(entry.minutes) === null) wrong.minutes = 'act.need_minutes';
  return wrong;
}

/** Acknowledges each alarm that was shown; each has its own answer. */
export function acknowledge(act: Act, shown: readonly Shown[], by: string, note: string): void {
  const all = act.acknowledge(
    shown.map(({ occurrence, revision }) => ({ occurrence, revision })),
    by,
    note,
  );
  shown.forEach((each, index) => {
    let asked: Promise<Outcome> | undefined = all.then(
      (outcomes) => outcomes[index]?.outcome ?? { kind: 'unconfirmed' },
    );
    const ask = (): Promise<Outcome> => {
      const first = asked;
      asked = undefined;
      if (first !== undefined) return first;
      const { occurrence, revision } = each;
      return act
        .acknowledge([{ occurrence, revision }], by, note)
        .then((outcomes) => outcomes[0]?.outcome ?? { kind: 'unconfirmed' });
    };
    void attempts.run(say('what.acknowledge', { alarm: each.text }), ask, { about: each.occurrence });
  });
}

/** Sends what was entered; it must have been checked. */
export function send(act: Act, ask: Ask, entry: Entry): void {
  const by = entry.by.trim();
  const minutes = minutesOf(entry.minutes) ?? MINUTES.low;
  switch (ask.kind) {
    case 'acknowledge':
      acknowledge(act, ask.shown, by, entry.note.trim());
      break;
    case 'pause':
      void attempts.run(say('what.pause'), () => act.pause(ask.what, PAUSE_S, by));
      break;
    case 'shelve': {
      const what = say('what.shelve', { alarm: conditionName(ask.condition) });
      const { occurrence } = ask;
      void attempts.run(what, () => act.shelve(occurrence, minutes, by, entry.reason.trim()), {
        about: occurrence,
      });
      break;
    }
    case 'accept':
      void attempts.run(say('what.accept', { pump: ask.pump.pump }), () => act.accept(ask.pump, by));
      break;
    case 'reject':
      void attempts.run(say('what.reject', { pump: ask.pump.pump }), () => act.reject(ask.pump, by));
      break;
    case 'hand-over': {
      const to = entry.to.trim();
      void attempts.run(say('what.hand_over', { pump: ask.pump.pump }), () => act.handOver(ask.pump, by, to));
      break;
    }
    case 'context': {
      const context = contextText(entry.context);
      void attempts.run(say('what.context_start', { context }), () =>
        act.startContext(ask.pump, entry.context, minutes, by),
      );
      break;
    }
  }
}

/** A context in words. */
export function contextText(kind: ContextName): string {
  return say(`context.${kind.replace('-', '_')}` as 'context.wean');
}
