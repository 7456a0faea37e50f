// What a person has asked for and how it went: nothing counts as done before the gateway has said so, and what was
// refused or never answered stays on the screen until somebody has read it.
import type { Outcome } from '../act/act';

import { isDone, type AttemptState } from './outcome';

export interface Attempt {
  number: number;
  /** What was asked for, in words. */
  what: string;
  /** Occurrence that it is about; empty when it is about none. */
  about: string;
  state: AttemptState;
  /** Asks again; undefined where another look is needed first. */
  again: (() => void) | undefined;
}

/** Attempts that are kept on the screen; the oldest goes first. */
const ATTEMPTS_MAX = 24;

class Attempts {
  list = $state.raw<readonly Attempt[]>([]);
  private next = 1;

  /** Asks, and shows how it goes. Answers the outcome, for those who have to go on with it. */
  async run<T>(
    what: string,
    ask: () => Promise<Outcome<T>>,
    more: { about?: string } = {},
  ): Promise<Outcome<T>> {
    const about = more.about ?? '';
    const number = this.next++;
    this.put({ number, what, about, state: { kind: 'waiting' }, again: undefined });
    let outcome: Outcome<T>;
    try {
      outcome = await ask();
    } catch {
      // Nobody knows whether the gateway did it.
      outcome = { kind: 'unconfirmed' };
    }
    if (isDone(outcome)) {
      this.dismiss(number);
      return outcome;
    }
    const canRepeat =
      outcome.kind === 'unconfirmed' || (outcome.kind === 'refused' && outcome.why === 'no-link');
    const again = canRepeat
      ? () => {
          this.dismiss(number);
          void this.run(what, ask, more);
        }
      : undefined;
    this.put({ number, what, about, state: outcome, again });
    return outcome;
  }

  /** The newest attempt about an occurrence that is not done; undefined without one. */
  about(occurrence: string): Attempt | undefined {
    return this.list.findLast((each) => each.about === occurrence && each.state.kind !== 'ok');
  }

  /** A person has read it. */
  dismiss(number: number): void {
    this.list = this.list.filter((each) => each.number !== number);
  }

  private put(attempt: Attempt): void {
    // That nothing is kept is said once, and not after every action again.
    const isSame = (each: Attempt): boolean => each.state.kind === 'ok' && attempt.state.kind === 'ok';
    const others = this.list.filter((each) => each.number !== attempt.number && !isSame(each));
    this.list = [...others, attempt].sort((a, b) => a.number - b.number).slice(-ATTEMPTS_MAX);
  }
}

/** The attempts of this page, whichever screen they were made on. */
export const attempts = new Attempts();
