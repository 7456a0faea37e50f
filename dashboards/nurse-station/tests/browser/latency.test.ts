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

/**
 * Detectors that the rules believe at once: nothing but the way is measured. The first of them come one upon the other. The second
 * come each into silence, because everything before is acknowledged by then: each of them begins a sound. In seconds.
 */
const kinds = [
  { kind: 'air-bubble', condition: 'air.arterial', from: 8, every: 0.33 },
  { kind: 'air-venous', condition: 'air.venous', from: 20, every: 2.5 },
] as const;

/** A person has heard it before it is acknowledged, in ms. */
const HEARD_MS = 350;

let unit: Unit;
let browsing: Browsing;
let station: Station;

beforeAll(async () => {
  const wishes = pumps(COUNT).map((pump, index) => ({
    ...pump,
    faults: kinds.map(({ kind, from, every }) => ({ kind, at: from + index * every })),
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
  revision: number;
  signal: string;
  condition: string;
  onset: string;
}

/** All alarms of these kinds; those that were heard are acknowledged, once the first kind has come to its end. */
async function acknowledged(): Promise<Told[]> {
  const all = ((await unit.ctl('alarms')) as Told[]).filter(({ condition }) =>
    kinds.some((it) => it.condition === condition),
  );
  if (all.length < COUNT) return all;
  const heard = all.filter(
    ({ signal, onset }) => signal !== 'acknowledged' && Date.now() - Date.parse(onset) > HEARD_MS,
  );
  for (const { occurrence, revision } of heard) {
    await unit.ctl('ack', `${occurrence}@${String(revision)}`, '--by', 'Ann');
  }
  return all;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** The slowest of each whole row, in their order. */
function slowest(times: readonly number[]): number[] {
  return Array.from({ length: Math.floor(times.length / ROW) }, (_none, at) =>
    Math.max(...times.slice(at * ROW, (at + 1) * ROW)),
  );
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
  'every fault is painted and each that comes into silence is heard; how soon is told',
  { timeout: 120_000 },
  async () => {
    const told = await until(
      'every alarm is raised, and those that signal are acknowledged',
      acknowledged,
      (alarms) => alarms.length === COUNT * kinds.length,
      80_000,
      150,
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
    const [bursts, stops] = await station.page.evaluate(() =>
      ['sound-start', 'sound-stop'].map((name) =>
        performance.getEntriesByName(name).map((mark) => performance.timeOrigin + mark.startTime),
      ),
    );
    const onset = (alarm: Told): number => Date.parse(alarm.onset);
    const toPaint = told.map((alarm) => (painted.get(alarm.occurrence) ?? Infinity) - onset(alarm));
    // A burst that sounds already goes on: only alarms that came into silence begin one.
    const before = (marks: readonly number[] = [], at: number): number =>
      Math.max(0, ...marks.filter((mark) => mark <= at));
    const intoSilence = told.filter((alarm) => {
      const begun = before(bursts, onset(alarm));
      return begun === 0 || begun < before(stops, onset(alarm));
    });
    const toSound = intoSilence.map(
      (alarm) => ((bursts ?? []).find((at) => at >= onset(alarm)) ?? Infinity) - onset(alarm),
    );
    say('fault to painted text', toPaint);
    say('fault to sound', toSound);
    const inTurn = told.map((alarm, at) => ({ onset: onset(alarm), took: toPaint[at] ?? Infinity }));
    inTurn.sort((one, other) => one.onset - other.onset);
    const rows = slowest(inTurn.map(({ took }) => took));
    console.log(
      `painted, slowest of each row of ${String(ROW)}: ${rows.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    );
    const heard = slowest(toSound);
    console.log(
      `heard, slowest of each row of ${String(ROW)}: ${heard.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    );
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
    // What else sounds takes some of them their silence: how many are left is told above.
    expect(toSound.length).toBeGreaterThan(0);
    expect(toPaint.every(Number.isFinite)).toBe(true);
    expect(Math.min(...rows)).toBeLessThanOrEqual(PROMISE_MS);
    if (heard.length > 0) expect(Math.min(...heard)).toBeLessThanOrEqual(PROMISE_MS);
    expect(toSound.every(Number.isFinite)).toBe(true);
  },
);
