// What a person can do, and what came of it. Nothing is painted as done before the gateway has said so.

import type { ContextName } from '../model/picture';
import type { Case, Treatment } from '../model/treatment';

/** ok: the gateway did it. refused: it did not, and why. unconfirmed: nobody knows; say so and offer to try again. */
export type Outcome<T = undefined> =
  | { kind: 'ok'; value: T; durable: boolean }
  | { kind: 'refused'; why: Refusal; detail: string }
  | { kind: 'unconfirmed' };

export type Refusal =
  /** Nobody has said who they are. */
  | 'no-name'
  /** It has changed since it was shown: look again. */
  | 'changed'
  /** It has ended, or was never there. */
  | 'gone'
  /** Out of range, or a word is missing; `detail` says which. */
  | 'invalid'
  /** Another version: somebody else was faster. */
  | 'version'
  /** It may not be done now; `detail` says why. */
  | 'not-allowed'
  /** No gateway that could do it is heard. */
  | 'no-link';

export interface Pump {
  ward: string;
  pump: string;
}

/** What was shown when the button was pressed. */
export interface ShownAlarm {
  occurrence: string;
  revision: number;
}

/** One outcome for each alarm that was asked for, in order. */
export type AckOutcome = { shown: ShownAlarm; outcome: Outcome };

export interface LimitPreview {
  wouldAlarm: number;
  inForceAlarms: number;
  coveredMs: number;
  withoutDataMs: number;
  lowest: number | null;
  highest: number | null;
  unit: string;
}

/** Which displays have shown an alarm, and which attend its ward and have not. */
export interface Confirmations {
  occurrence: string;
  revision: number;
  shown: string[];
  missing: string[];
}

export type PauseWhat =
  | { scope: 'alarm'; occurrence: string }
  | { scope: 'pump'; ward: string; pump: string }
  | { scope: 'ward'; ward: string };

/** Every action names `by`: the operator, as they named themselves. Each answers within 2 s. */
export interface Act {
  acknowledge(shown: ShownAlarm[], by: string, note?: string): Promise<AckOutcome[]>;
  /** 1 to 120 seconds. Answers how many alarms were paused. An empty ward pauses every ward that the display shows. */
  pause(what: PauseWhat, seconds: number, by: string): Promise<Outcome<number>>;
  resume(what: PauseWhat, by: string): Promise<Outcome<number>>;
  shelve(occurrence: string, minutes: number, by: string, reason: string): Promise<Outcome>;
  unshelve(pump: Pump, condition: string, by: string): Promise<Outcome>;
  accept(pump: Pump, by: string): Promise<Outcome>;
  handOver(pump: Pump, by: string, to: string): Promise<Outcome>;
  reject(pump: Pump, by: string): Promise<Outcome>;
  assignBed(pump: Pump, bed: string, by: string): Promise<Outcome>;
  /** Who has shown the alarms that signal; an empty ward asks for all. */
  confirmations(ward: string): Promise<Outcome<Confirmations[]>>;
  /** The treatment as it is now. */
  treatment(pump: Pump): Promise<Outcome<Treatment>>;
  startTreatment(pump: Pump, value: Case, version: number, by: string): Promise<Outcome<Treatment>>;
  changeCase(pump: Pump, value: Case, version: number, by: string): Promise<Outcome<Treatment>>;
  previewLimit(pump: Pump, rule: string, number: number): Promise<Outcome<LimitPreview>>;
  /** A null number takes back what was set. */
  setLimit(
    pump: Pump,
    rule: string,
    number: number | null,
    reason: string,
    version: number,
    by: string,
  ): Promise<Outcome<Treatment>>;
  startContext(pump: Pump, kind: ContextName, minutes: number, by: string): Promise<Outcome<Treatment>>;
  endContext(pump: Pump, kind: ContextName, by: string): Promise<Outcome<Treatment>>;
}
