// What came of an action, as a sentence that says what to do now. Pure.
import type { Outcome, Refusal } from '../act/act';
import { sayIn, type Key, type Language } from '../words/lookup';

/** How an attempt stands. */
export type AttemptState =
  | { kind: 'waiting' }
  | { kind: 'ok'; durable: boolean }
  | { kind: 'refused'; why: Refusal; detail: string }
  | { kind: 'unconfirmed' };

/** Whether nothing is left to say: done, and kept over a restart. */
export function isDone(outcome: Outcome<unknown>): boolean {
  return outcome.kind === 'ok' && outcome.durable;
}

const refusals = {
  'no-name': 'act.need_name',
  changed: 'act.refused.changed',
  gone: 'act.refused.not_found',
  invalid: 'act.refused.invalid',
  version: 'act.refused.version',
  'not-allowed': 'act.refused.state',
  'no-link': 'act.refused.no_link',
} as const satisfies Record<Refusal, Key>;

/** Why it was refused, and what to do; the gateway's own words follow where it has any. */
export function refusalText(language: Language, why: Refusal, detail: string): string {
  const text = sayIn(language, refusals[why]);
  return detail === '' ? text : `${text} ${sayIn(language, 'act.refused.other', { message: detail })}`;
}

/** An attempt in words. */
export function attemptText(language: Language, what: string, state: AttemptState): string {
  switch (state.kind) {
    case 'waiting':
      return `${what}: ${sayIn(language, 'act.waiting')}`;
    case 'ok':
      return `${what}: ${sayIn(language, state.durable ? 'act.done' : 'act.not_durable')}`;
    case 'refused':
      return sayIn(language, 'act.refused', { what, why: refusalText(language, state.why, state.detail) });
    case 'unconfirmed':
      return sayIn(language, 'act.unconfirmed', { what });
  }
}
