// Thirty pumps with three waveforms of 100 Hz each: pictures a second of the sweeps, what the browser uses of one core for them, and whether it keeps what it should forget.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Meter } from './rig/cost';
import { Heap } from './rig/heap';
import { Browsing, Station } from './rig/station';
import { pumps, Unit } from './rig/unit';
import { pause, until } from './rig/wait';

const COUNT = 30;

/** The promises: pictures a second, and the share of one core of all processes of the browser together. */
const FRAMES_MIN = 29;
const CORE_MAX = 0.6;

/**
 * The best of at most so many tries counts: what else runs on the machine takes from the one and adds to the other. Where the machine has no
 * time to show 28 pictures a second in any of them, the share says nothing, and is told without a judgement.
 */
const TRIES = 5;
const TRY_MS = 4_000;
const JUDGED_FROM = 28;

/** The promise: growth in half an hour, in MB. */
const GROWTH_MAX = 20;

/** How long it is watched, in s: half an hour by `node tests/browser/run.js soak`. */
const SOAK_S = Number(process.env['ECMO_SOAK_S'] ?? 15);

/** What a short look allows, in MB: what is kept of the last minute is still being filled. A leak of each picture is much more than that. */
const SHORT_GROWTH_MAX = 10;

let unit: Unit;
let browsing: Browsing;
let station: Station;

beforeAll(async () => {
  unit = await Unit.start({ pumps: pumps(COUNT) });
  browsing = await Browsing.start();
  station = await Station.open(browsing, unit.main.url, { name: 'Ann', display: 'desk' });
  await until(
    'every pump is live',
    () => station.text('[data-testid="live-count"]'),
    (text) => text.startsWith(`${String(COUNT)} of ${String(COUNT)}`),
    40_000,
  );
}, 90_000);

afterAll(async () => {
  await browsing.end();
  await unit.end();
});

/** What the worker draws, counted in the worker itself: frames that it was given, frames that it drew, and sweeps in them. */
interface Drawn {
  given: number[];
  drawn: number;
  sweeps: number;
}

async function count(): Promise<() => Promise<Drawn>> {
  const [worker] = station.page.workers();
  if (worker === undefined) throw new Error('the page has no worker');
  await worker.evaluate(() => {
    const all = globalThis as unknown as {
      drawn: Drawn;
      requestAnimationFrame: (then: FrameRequestCallback) => number;
    };
    all.drawn = { given: [], drawn: 0, sweeps: 0 };
    const { prototype } = OffscreenCanvasRenderingContext2D;
    const clip = prototype.clip.bind.bind(prototype.clip);
    let sweeps = 0;
    prototype.clip = function (this: OffscreenCanvasRenderingContext2D, ...args: []) {
      sweeps += 1;
      clip(this)(...args);
    };
    const ask = all.requestAnimationFrame.bind(globalThis);
    all.requestAnimationFrame = (then) =>
      ask((now) => {
        sweeps = 0;
        then(now);
        all.drawn.given.push(now);
        if (sweeps > 0) all.drawn.drawn += 1;
        all.drawn.sweeps += sweeps;
      });
  });
  return () =>
    worker.evaluate(() => {
      const all = globalThis as unknown as { drawn: Drawn };
      const { drawn } = all;
      all.drawn = { given: [], drawn: 0, sweeps: 0 };
      return drawn;
    });
}

test(
  'thirty pumps: each frame that is due is drawn with every sweep, and all of it costs little',
  { timeout: 60_000 },
  async () => {
    const take = await count();
    const meter = await Meter.of(browsing);
    const shares: number[] = [];
    let best = 0;
    await pause(3_000);
    await take();
    for (let tries = 0; tries < TRIES; tries += 1) {
      const cost = await meter.over(TRY_MS);
      const { given, drawn, sweeps } = await take();
      const seconds = ((given.at(-1) ?? 0) - (given[0] ?? 0)) / 1_000;
      const rate = seconds > 0 ? drawn / seconds : 0;
      const share = Object.values(cost).reduce((sum, one) => sum + one, 0);
      best = Math.max(best, rate);
      if (rate >= JUDGED_FROM) shares.push(share);
      const parts = Object.entries(cost).filter(([, one]) => one >= 0.01);
      console.log(
        `${rate.toFixed(1)} pictures a second of ${(given.length / seconds).toFixed(1)} frames, ${share.toFixed(2)} of one core: ` +
          parts.map(([type, one]) => `${type} ${one.toFixed(2)}`).join(', '),
      );
      // Every sweep of every pump is in every picture, and no frame that was due went by; one may be due that began before.
      expect(sweeps).toBe(drawn * COUNT);
      expect(drawn + 1).toBeGreaterThanOrEqual((due(given) * FRAMES_MIN) / 30);
      if (rate >= FRAMES_MIN && share <= CORE_MAX) break;
    }
    const least = Math.min(...shares);
    console.log(
      `promised ${String(FRAMES_MIN)} pictures a second: ${best >= FRAMES_MIN ? 'reached' : 'MISSED'}, best ${best.toFixed(1)}`,
    );
    console.log(
      shares.length === 0
        ? 'the machine had no time for the pictures: the share of a core is not judged'
        : `promised ${String(CORE_MAX)} of one core: ${least <= CORE_MAX ? 'reached' : 'MISSED'}, best ${least.toFixed(2)}`,
    );
    await station.shoot('overview-thirty');
    expect(station.complaints).toEqual([]);
    if (shares.length > 0) expect(least).toBeLessThanOrEqual(CORE_MAX);
  },
);

test('soak: what the page holds does not grow', { timeout: (SOAK_S + 60) * 1_000 }, async () => {
  const heap = await Heap.of(station);
  const first = await heap.used();
  const begun = performance.now();
  const everyMs = Math.max(7_500, (SOAK_S * 1_000) / 15);
  while (performance.now() - begun < SOAK_S * 1_000) {
    await pause(Math.min(everyMs, SOAK_S * 1_000 - (performance.now() - begun)));
    const last = await heap.used();
    const minutes = ((performance.now() - begun) / 60_000).toFixed(1);
    console.log(
      `after ${minutes} min: ${last.toFixed(1)} MB, ${(last - first).toFixed(1)} MB more than at first` +
        (heap.workers > 1 ? `; ${String(heap.workers)} workers so far` : ''),
    );
  }
  // A busy machine may be behind; a page without a link would have nothing to keep.
  expect(await station.link()).not.toBe('lost');
  expect(station.complaints).toEqual([]);
  // What a busy machine has not had the time for waits in memory, and goes; what leaks stays.
  await until(
    'the heap is as it was',
    async () => (await heap.used()) - first,
    (grown) => grown < (SOAK_S >= 1_800 ? GROWTH_MAX : SHORT_GROWTH_MAX),
    20_000,
  );
});

/** How many of these frames are due: each that begins a thirtieth of a second, or nearly, after the one before that was. */
function due(given: readonly number[]): number {
  let [count, last] = [0, -Infinity];
  for (const at of given) {
    if (at - last < 31) continue;
    count += 1;
    last = at;
  }
  return count;
}
