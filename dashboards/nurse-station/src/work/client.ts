// The page's side of the worker: what screens ask for and what people do goes there by name, and comes back as an answer.

import type { Act, Outcome } from '../act/act';
import type { Door } from '../act/door';
import type { CallName, FromWorker, ToWorker } from './protocol';
import type { Station, Surface, SurfaceLook, SweepHandle, SweepOptions } from './station';

/** A worker that does not answer in this time does not answer: the call itself has 2 s. */
const ANSWER_MS = 2_500;

/** What people do: without an answer nobody knows whether it was done. */
const ACTS = [
  'pause',
  'resume',
  'shelve',
  'unshelve',
  'accept',
  'handOver',
  'reject',
  'assignBed',
  'confirmations',
  'treatment',
  'startTreatment',
  'changeCase',
  'previewLimit',
  'setLimit',
  'startContext',
  'endContext',
] as const satisfies readonly (keyof Act)[];

export class Client {
  private numbers = 0;
  private readonly waiting = new Map<number, (value: unknown) => void>();

  constructor(private readonly post: (message: ToWorker, transfer?: Transferable[]) => void) {}

  answer({ number, value }: Extract<FromWorker, { from: 'answer' }>): void {
    this.waiting.get(number)?.(value);
    this.waiting.delete(number);
  }

  act(): Act {
    const unconfirmed = (): Outcome<never> => ({ kind: 'unconfirmed' });
    const calls = ACTS.map((name) => [name, (...args: unknown[]) => this.call(name, args, unconfirmed)]);
    const acknowledge: Act['acknowledge'] = (shown, by, note) => {
      const nobodyKnows = (): Awaited<ReturnType<Act['acknowledge']>> =>
        shown.map((one) => ({ shown: one, outcome: unconfirmed() }));
      return this.call('acknowledge', [shown, by, note], nobodyKnows);
    };
    return { ...(Object.fromEntries(calls) as Omit<Act, 'acknowledge'>), acknowledge };
  }

  door(): Door {
    const unconfirmed = (): Outcome<never> => ({ kind: 'unconfirmed' });
    return {
      signIn: (...args) => this.call('signIn', args, unconfirmed),
      signOut: () => this.call('signOut', [], unconfirmed),
      who: () => this.call('who', [], unconfirmed),
    };
  }

  station(generation: () => number, acknowledgeLoss: () => void): Station {
    const failed = (): never => {
      throw new Error('the worker does not answer');
    };
    return {
      get generation() {
        return generation();
      },
      attachSurface: (canvas, look) => this.surface(canvas, look),
      trend: (question) => this.call('trend', [question], failed),
      strip: (...args) => this.call('strip', args, failed),
      history: () => this.call('history', [], failed),
      device: (...args) => this.call('device', args, () => null),
      forgetMissed: () => {
        this.post({ to: 'forget-missed' });
      },
      acknowledgeLoss,
    };
  }

  private call<T>(name: CallName, args: unknown[], otherwise: () => T): Promise<T> {
    this.numbers += 1;
    const number = this.numbers;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(number);
        try {
          resolve(otherwise());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      }, ANSWER_MS);
      this.waiting.set(number, (value) => {
        clearTimeout(timer);
        resolve(value as T);
      });
      this.post({ to: 'call', number, name, args: args.map(plain) });
    });
  }

  private surface(canvas: OffscreenCanvas, look: SurfaceLook): Surface {
    this.numbers += 1;
    const number = this.numbers;
    this.post({ to: 'surface', number, canvas, look }, [canvas]);
    return {
      dress: (look) => {
        this.post({ to: 'surface-look', number, look });
      },
      sweep: (options) => this.sweep(number, options),
      detach: () => {
        this.post({ to: 'surface-end', number });
      },
    };
  }

  private sweep(surface: number, options: SweepOptions): SweepHandle {
    this.numbers += 1;
    const number = this.numbers;
    this.post({ to: 'sweep', number, surface, options });
    return {
      move: (place) => {
        this.post({ to: 'sweep-place', number, place });
      },
      palette: (colours) => {
        this.post({ to: 'sweep-colours', number, colours });
      },
      freeze: (frozen) => {
        this.post({ to: 'sweep-freeze', number, frozen });
      },
      detach: () => {
        this.post({ to: 'sweep-end', number });
      },
    };
  }
}

/** What a screen holds may be watched for changes: such things cannot be sent as they are. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
