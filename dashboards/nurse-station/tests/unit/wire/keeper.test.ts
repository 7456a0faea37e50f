// Streams that end, stay silent or never begin: what is opened next, where, and when.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Keeper, type Which } from '../../../src/wire/keeper';

/** A stream that a test feeds. */
class Stream implements AsyncIterable<unknown> {
  private readonly waiting: unknown[] = [];
  private wake: (() => void) | null = null;
  isOver = false;

  constructor(
    readonly gateway: number,
    readonly which: Which,
    readonly signal: AbortSignal,
    readonly at: number,
  ) {
    signal.addEventListener('abort', () => {
      this.end();
    });
  }

  tell(...messages: unknown[]): void {
    this.waiting.push(...messages);
    this.wake?.();
  }

  end(): void {
    this.isOver = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator {
    for (;;) {
      while (this.waiting.length > 0) yield this.waiting.shift();
      if (this.isOver) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

class Bench {
  readonly opened: Stream[] = [];
  readonly lost: string[] = [];
  readonly heard: string[] = [];
  readonly keeper: Keeper;

  constructor(gateways: number) {
    this.keeper = new Keeper({
      gateways: () => gateways,
      open: (gateway, which, signal) => {
        const stream = new Stream(gateway, which, signal, Date.now());
        this.opened.push(stream);
        return stream;
      },
      onMessage: (gateway, which, message) =>
        this.heard.push(`${String(gateway)} ${which} ${String(message)}`),
      onLost: (gateway, which, why) => this.lost.push(`${String(gateway)} ${which} ${why}`),
      onError: () => undefined,
      random: () => 0.5,
    });
    this.keeper.start();
  }

  /** The newest stream of a lane. */
  last(which: Which): Stream {
    const found = this.opened.filter((one) => one.which === which).at(-1);
    if (found === undefined) throw new Error(`no stream of ${which}`);
    return found;
  }

  /** Streams that hold a connection now. */
  holding(): number {
    return this.opened.filter(({ isOver }) => !isOver).length;
  }

  async live(): Promise<void> {
    for (const which of ['alarms', 'pumps'] as const) this.last(which).tell(1, 2, 3);
    await vi.advanceTimersByTimeAsync(0);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the keeper of streams', () => {
  it('opens both streams of the first gateway, and no more', async () => {
    const bench = new Bench(2);
    await bench.live();
    expect(bench.opened.map(({ gateway, which }) => `${String(gateway)} ${which}`)).toEqual([
      '0 alarms',
      '0 pumps',
    ]);
    expect(bench.heard).toContain('0 alarms 1');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(bench.opened.length).toBe(2);
  });

  it('tries again at once, then after 0.25, 0.5, 1 and 2 s, and every 2 s for ever', async () => {
    const bench = new Bench(1);
    await bench.live();
    const times: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const before = bench.opened.length;
      const ended = Date.now();
      bench.last('alarms').end();
      while (bench.opened.length === before) await vi.advanceTimersByTimeAsync(50);
      times.push(Date.now() - ended);
    }
    expect(times).toEqual([50, 250, 500, 1_000, 2_000, 2_000, 2_000, 2_000]);
    expect(bench.lost.length, 'a loss is told once').toBe(1);
    expect(bench.holding()).toBeLessThanOrEqual(2);
  });

  it('begins anew with the waits when a stream was of use', async () => {
    const bench = new Bench(1);
    await bench.live();
    bench.last('alarms').end();
    await vi.advanceTimersByTimeAsync(1);
    bench.last('alarms').end();
    await vi.advanceTimersByTimeAsync(250);
    bench.last('alarms').tell(1, 2, 3);
    await vi.advanceTimersByTimeAsync(0);
    bench.last('alarms').end();
    const before = bench.opened.length;
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.opened.length).toBe(before + 1);
  });

  it('is at the other gateway within a second after a loss is known', async () => {
    const bench = new Bench(2);
    await bench.live();
    const ended = Date.now();
    bench.last('alarms').end();
    bench.last('pumps').end();
    await vi.advanceTimersByTimeAsync(1);
    // The gateway refuses.
    bench.last('alarms').end();
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.keeper.active).toBe(1);
    expect(bench.last('alarms').gateway).toBe(1);
    expect(bench.last('pumps').gateway).toBe(1);
    expect(Date.now() - ended).toBeLessThan(1_000);
    expect(bench.holding(), 'at most two streams').toBe(2);
  });

  it('goes to the other gateway also when this one takes connections and says nothing', async () => {
    const bench = new Bench(2);
    await bench.live();
    bench.last('alarms').end();
    await vi.advanceTimersByTimeAsync(900);
    expect(bench.last('alarms').gateway, 'it waited for 0.7 s').toBe(1);
    const frozen = new Bench(2);
    await frozen.live();
    frozen.keeper.broken('alarms', 'silent');
    await vi.advanceTimersByTimeAsync(1);
    expect(frozen.last('alarms').gateway, 'one that froze is not asked again first').toBe(1);
  });

  it('takes turns when no gateway answers, with time between', async () => {
    const bench = new Bench(2);
    await vi.advanceTimersByTimeAsync(60_000);
    const turns = bench.opened.filter(({ which }) => which === 'alarms');
    expect(turns.length).toBeGreaterThan(15);
    expect(turns.length).toBeLessThan(60);
    expect(
      turns
        .slice(4, 8)
        .map(({ gateway }) => gateway)
        .sort(),
    ).toEqual([0, 0, 1, 1]);
    expect(bench.holding()).toBeLessThanOrEqual(2);
  });

  it('stays at the only gateway', async () => {
    const bench = new Bench(1);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(new Set(bench.opened.map(({ gateway }) => gateway))).toEqual(new Set([0]));
  });

  it('lets alarms go on while pumps alone are opened anew', async () => {
    const bench = new Bench(2);
    await bench.live();
    bench.last('pumps').end();
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.lost).toEqual(['0 pumps ended']);
    expect(bench.last('alarms').signal.aborted).toBe(false);
    expect(bench.keeper.active).toBe(0);
  });

  it('leaves a gateway for its pumps once, and then lets alarms go on where they come', async () => {
    const bench = new Bench(2);
    const alarms = (): Stream => bench.last('alarms');
    for (let round = 0; round < 400; round += 1) {
      if (!alarms().isOver) alarms().tell(1, 2, 3);
      if (!bench.last('pumps').isOver) bench.last('pumps').end();
      await vi.advanceTimersByTimeAsync(100);
    }
    const turns = bench.opened.filter(({ which }) => which === 'alarms').map(({ gateway }) => gateway);
    expect(turns).toEqual([0, 1]);
  });

  it('puts a new stream in the place of the present one without a gap', async () => {
    const bench = new Bench(1);
    await bench.live();
    const before = bench.last('pumps');
    bench.keeper.renew('pumps');
    before.tell('old');
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.heard, 'until the new one speaks').toContain('0 pumps old');
    bench.last('pumps').tell('new');
    await vi.advanceTimersByTimeAsync(0);
    expect(before.signal.aborted).toBe(true);
    expect(bench.lost, 'nothing was lost').toEqual([]);
    before.tell('too late');
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.heard).not.toContain('0 pumps too late');
  });

  it('asks once more for what was wanted while a stream was being opened', async () => {
    const bench = new Bench(1);
    bench.keeper.renew('pumps');
    bench.keeper.renew('pumps');
    await bench.live();
    expect(bench.opened.filter(({ which }) => which === 'pumps').length).toBe(2);
  });

  it('goes on with the present stream when a new one fails', async () => {
    const bench = new Bench(1);
    await bench.live();
    const before = bench.last('pumps');
    bench.keeper.renew('pumps');
    bench.last('pumps').end();
    await vi.advanceTimersByTimeAsync(0);
    before.tell('on');
    await vi.advanceTimersByTimeAsync(0);
    expect([bench.lost, bench.heard.at(-1)]).toEqual([[], '0 pumps on']);
  });
});
