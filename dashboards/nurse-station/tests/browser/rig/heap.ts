// What the page and its worker hold in memory, after everything that nobody needs was thrown away.
import type { CDPSession } from 'playwright-core';

import type { Station } from './station';
import { pause } from './wait';

/** Looks that make one figure. */
const LOOKS = 4;
const LOOK_EVERY_MS = 400;

interface Usage {
  usedSize: number;
  /** What the page holds outside of the script's heap, such as samples in typed arrays. */
  embedderHeapUsedSize: number;
  backingStorageSize: number;
}

export class Heap {
  private numbers = 0;
  private readonly waiting = new Map<
    number,
    { done: (result: unknown) => void; fail: (why: Error) => void }
  >();
  /** The page begins another worker when one has not answered for too long, as on a machine without time. */
  private worker = '';
  workers = 0;

  private constructor(private readonly cdp: CDPSession) {
    cdp.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message) as { id?: number; result: unknown };
      if (id !== undefined) this.waiting.get(id)?.done(result);
    });
  }

  static async of(station: Station): Promise<Heap> {
    const heap = new Heap(station.cdp);
    await new Promise<void>((done, fail) => {
      station.cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
        if (targetInfo.type !== 'worker') return;
        heap.take(sessionId);
        done();
      });
      const all = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false };
      station.cdp.send('Target.setAutoAttach', all).catch(fail);
    });
    return heap;
  }

  private take(worker: string): void {
    this.worker = worker;
    this.workers += 1;
    for (const { fail } of this.waiting.values()) fail(new Error('the page began another worker'));
    this.waiting.clear();
  }

  /** MB of page and worker together: the least of some looks, because messages on their way are held as well. */
  async used(): Promise<number> {
    let least = Infinity;
    for (let looks = 0; looks < LOOKS; looks += 1) {
      // Of a worker that has just gone nothing is known.
      least = Math.min(least, await this.look().catch(() => Infinity));
      await pause(LOOK_EVERY_MS);
    }
    return least;
  }

  private async look(): Promise<number> {
    // Twice: what the first round lets go of is collected by the second.
    for (let round = 0; round < 2; round += 1) {
      await this.cdp.send('HeapProfiler.collectGarbage');
      await this.ask('HeapProfiler.collectGarbage');
    }
    const page = (await this.cdp.send('Runtime.getHeapUsage')) as Usage;
    const worker = (await this.ask('Runtime.getHeapUsage')) as Usage;
    const sum = ({ usedSize, embedderHeapUsedSize, backingStorageSize }: Usage): number =>
      usedSize + embedderHeapUsedSize + backingStorageSize;
    return (sum(page) + sum(worker)) / 1e6;
  }

  private ask(method: string): Promise<unknown> {
    this.numbers += 1;
    const id = this.numbers;
    const answer = new Promise((done, fail) => this.waiting.set(id, { done, fail }));
    const sent = this.cdp.send('Target.sendMessageToTarget', {
      sessionId: this.worker,
      message: JSON.stringify({ id, method }),
    });
    return Promise.all([answer, sent]).then(([result]) => result);
  }
}
