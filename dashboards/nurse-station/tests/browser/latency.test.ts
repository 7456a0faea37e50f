// Sixteen pumps: the time from an injected fault to the painted text and to the start of the sound.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Browsing, Station } from './rig/station';
import { pumps, Unit } from './rig/unit';
import { until } from './rig/wait';

/**
 * The promise, in milliseconds, for 99 of 100. Over all alarms it is reported and fails nothing: two busy cores that also run the
 * pumps, the gateway and the broker decide as much about it as the page does. What fails is an alarm that is not painted or not
 * heard, and a page that does not keep it for a single row of alarms one after the other.
 */
const PROMISE_MS = 250;

/** So many alarms make a row. */
const ROW = 8;

const COUNT = 16;

/** How long a burst of high priority sounds, and a little. */
const BURST_MS = 3_800;

/** Detectors that the rules believe at once: nothing but the way is measured. */
const kinds = [
  { kind: 'air-bubble', condition: 'air.arterial', from: 8 },
  { kind: 'air-venous', condition: 'air.venous', from: 14 },
] as const;

let unit: Unit;
let browsing: Browsing;
let station: Station;

beforeAll(async () => {
  const wishes = pumps(COUNT).map((pump, index) => ({
    ...pump,
    faults: kinds.map(({ kind, from }) => ({ kind, at: from + index * 0.33 })),
  }));
  unit = await Unit.start({ pumps: wishes });
  browsing = await Browsing.start();
  station = await Station.open(browsing, unit.main.url, { name: 'Ann', display: 'desk' });
  // When an occurrence is first painted anywhere, and when a burst begins; milliseconds since 1970.
  await station.page.evaluate(() => {
    const seen = new Map<string, number>();
    const look = (): void => {
      const fresh = [...document.querySelectorAll('[data-testid="alarm"]')]
        .map((one) => one.getAttribute('data-occurrence') ?? '')
        .filter((occurrence) => !seen.has(occurrence));
      if (fresh.length === 0) return;
      for (const occurrence of fresh) seen.set(occurrence, 0);
      // A task after the frame: it has been painted by then.
      requestAnimationFrame(() =>
        setTimeout(() => {
          for (const occurrence of fresh) seen.set(occurrence, performance.timeOrigin + performance.now());
        }),
      );
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    look();
    (globalThis as unknown as { paintedAt: Map<string, number> }).paintedAt = seen;
  });
});

afterAll(async () => {
  await browsing.end();
  await unit.end();
});

interface Told {
  occurrence: string;
  condition: string;
  onset: string;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

function say(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const of = (share: number): string => percentile(sorted, share).toFixed(0);
  const verdict = percentile(sorted, 0.99) <= PROMISE_MS ? 'reached' : 'MISSED';
  console.log(
    `${what}: ${String(sorted.length)} times, p50 ${of(0.5)} ms, p90 ${of(0.9)} ms, p99 ${of(0.99)} ms, max ${of(1)} ms; ` +
      `promised p99 ${String(PROMISE_MS)} ms: ${verdict}`,
  );
}

test(
  'every fault is painted and one that comes into silence is heard; how soon is told',
  { timeout: 60_000 },
  async () => {
    const wanted = (told: Told[]): Told[] =>
      told.filter(({ condition }) => kinds.some((it) => it.condition === condition));
    const told = await until(
      'every alarm is raised',
      async () => wanted((await unit.ctl('alarms')) as Told[]),
      (alarms) => alarms.length === COUNT * kinds.length,
      30_000,
      500,
    );
    await until(
      'every alarm is painted',
      () =>
        station.page.evaluate(
          (occurrences) => {
            const { paintedAt } = globalThis as unknown as { paintedAt: Map<string, number> };
            return occurrences.filter((occurrence) => (paintedAt.get(occurrence) ?? 0) === 0);
          },
          told.map(({ occurrence }) => occurrence),
        ),
      (left) => left.length === 0,
      15_000,
    );
    // A page that lost its link meanwhile would measure something else.
    expect(await station.link()).not.toBe('lost');
    const painted = new Map(
      await station.page.evaluate(() => [
        ...(globalThis as unknown as { paintedAt: Map<string, number> }).paintedAt,
      ]),
    );
    const bursts = await station.page.evaluate(() =>
      performance.getEntriesByName('sound-start').map((mark) => performance.timeOrigin + mark.startTime),
    );
    const onset = (alarm: Told): number => Date.parse(alarm.onset);
    const toPaint = told.map((alarm) => (painted.get(alarm.occurrence) ?? Infinity) - onset(alarm));
    // A burst that sounds already goes on: only alarms that came into silence begin one.
    const intoSilence = told.filter(
      (alarm) => !bursts.some((at) => at <= onset(alarm) && onset(alarm) - at < BURST_MS),
    );
    const toSound = intoSilence.map(
      (alarm) => (bursts.find((at) => at >= onset(alarm)) ?? Infinity) - onset(alarm),
    );
    say('fault to painted text', toPaint);
    say('fault to sound', toSound);
    const inTurn = told.map((alarm, at) => ({ onset: onset(alarm), took: toPaint[at] ?? Infinity }));
    inTurn.sort((one, other) => one.onset - other.onset);
    const rows = Array.from({ length: Math.floor(told.length / ROW) }, (_none, at) =>
      Math.max(...inTurn.slice(at * ROW, (at + 1) * ROW).map(({ took }) => took)),
    );
    console.log(`slowest of each row of ${String(ROW)}: ${rows.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    const hops = (await unit.ctl('latency')) as {
      hop: string;
      count: number;
      p50_ns: number;
      p99_ns: number;
    }[];
    for (const { hop, count, p50_ns, p99_ns } of hops) {
      console.log(
        `  ${hop}: ${String(count)} times, p50 ${(p50_ns / 1e6).toFixed(1)} ms, p99 ${(p99_ns / 1e6).toFixed(1)} ms`,
      );
    }
    await station.shoot('overview-sixteen-alarms');
    expect(Math.min(...toPaint)).toBeGreaterThan(0);
    expect(toSound.length).toBeGreaterThan(0);
    expect(toPaint.every(Number.isFinite)).toBe(true);
    expect(Math.min(...rows)).toBeLessThanOrEqual(PROMISE_MS);
    expect(toSound.every(Number.isFinite)).toBe(true);
  },
);
