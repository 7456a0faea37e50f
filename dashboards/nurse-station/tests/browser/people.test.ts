// Two displays at one gateway: what one person does, the other display shows within 250 ms.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Browsing, Station } from './rig/station';
import { Unit } from './rig/unit';
import { pause, until } from './rig/wait';

/** The promise: from the click at one display to the paint at the other. */
const AGREE_MS = 250;

/** From here on a single time fails: two busy cores hold a painted frame back for some hundred milliseconds now and then. */
const ONE_FAILS_MS = 1_000;

let unit: Unit;
let browsing: Browsing;
let here: Station;
let there: Station;

beforeAll(async () => {
  const fault = (kind: string) => [{ kind, at: 3 }];
  unit = await Unit.start({
    pumps: [
      { name: 'pump-1', faults: fault('pump-stop') },
      { name: 'pump-2', faults: fault('level-low') },
      { name: 'pump-3', faults: fault('air-venous') },
    ],
  });
  browsing = await Browsing.start();
  here = await Station.open(browsing, unit.main.url, { name: 'Ann', display: 'here', hash: '#/alarms' });
  there = await Station.open(browsing, unit.main.url, { name: 'Ben', display: 'there' });
  for (const [pump, condition] of [
    ['pump-1', 'pump.stop'],
    ['pump-2', 'level.low'],
    ['pump-3', 'air.venous'],
  ] as const) {
    await there.alarmed(pump, condition, 'active');
  }
  // A row that has just moved takes no click.
  await pause(1_200);
});

afterAll(async () => {
  await browsing.end();
  await unit.end();
});

/** Presses with a trusted event; the moment of it, milliseconds since 1970. */
async function press(station: Station, selector: string): Promise<number> {
  const pressed = await station.notes('html[data-pressed]');
  await station.page.evaluate((which) => {
    const button = document.querySelector(which);
    button?.addEventListener('click', () => (document.documentElement.dataset['pressed'] = 'yes'), {
      once: true,
    });
    const all = globalThis as unknown as { pressedAt: number };
    button?.addEventListener('click', () => (all.pressedAt = performance.timeOrigin + performance.now()), {
      once: true,
      capture: true,
    });
  }, selector);
  await station.page.locator(selector).click();
  await pressed();
  await station.page.evaluate(() => delete document.documentElement.dataset['pressed']);
  return station.page.evaluate(() => (globalThis as unknown as { pressedAt: number }).pressedAt);
}

test('an acknowledgement at one display is painted at the other within 250 ms', async () => {
  const took: number[] = [];
  for (const condition of ['pump.stop', 'level.low', 'air.venous']) {
    const seen = await there.notes(
      `[data-testid="tile"] [data-condition="${condition}"][data-state="acknowledged"]`,
    );
    const row = `[data-testid="alarm-centre"] [data-condition="${condition}"]`;
    const at = await press(here, `${row} [data-testid="acknowledge"]`);
    took.push((await seen()) - at);
    await until(
      'painted here too',
      () => here.attribute(row, 'data-state'),
      (state) => state === 'acknowledged',
      1_000,
    );
    await pause(1_100);
  }
  console.log(
    `acknowledge, click to paint at the other display: ${took.map((ms) => ms.toFixed(0)).join(', ')} ms`,
  );
  // What the machine holds up hits one of them, what the page or the gateway holds up hits all.
  expect(Math.min(...took)).toBeLessThanOrEqual(AGREE_MS);
  expect(Math.max(...took)).toBeLessThanOrEqual(ONE_FAILS_MS);
});

test('a pause at one display is painted at the other soon, with the time left', async () => {
  // What a stopped pump brings with it signals still.
  await there.alarmed('pump-1', 'flow.retrograde', 'active');
  const seen = await there.notes('[data-testid="bar"] [data-testid="pause"][data-state="paused"]');
  const at = await press(here, '[data-testid="bar"] [data-testid="pause"]');
  const took = (await seen()) - at;
  console.log(`pause, click to paint at the other display: ${took.toFixed(0)} ms`);
  expect(took).toBeLessThanOrEqual(ONE_FAILS_MS);
  expect(await there.text('[data-testid="pause-left"]')).toMatch(/[12]:[0-9]{2}/);
  await there.shoot('overview-paused');
});

test('a new high alarm breaks the pause at both displays', async () => {
  await unit.agent('pump-2').stop();
  unit.startAgent({ name: 'pump-2', faults: [{ kind: 'air-bubble', at: 2 }] });
  await there.alarmed('pump-2', 'air.arterial', 'active');
  for (const station of [here, there]) {
    await until(
      'the sound is back',
      () => station.attribute('[data-testid="sound"]', 'data-playing'),
      (playing) => playing === 'high',
      2_000,
    );
  }
});
