// Each state of a value, of a pump and of the link, reached by its real cause.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Browsing, Station, type TileSeen } from './rig/station';
import { Unit } from './rig/unit';
import { holds, pause, until } from './rig/wait';

/** Parameters of a tile that a healthy circuit measures many times a second. */
const fast = ['flow.blood', 'pump.speed', 'press.drain', 'press.post'];

function shows(tile: TileSeen, state: string): boolean {
  return fast.every((parameter) => tile.values[parameter]?.state === state);
}

/** No value that was measured stands there as if it were one. */
function showsNoNumber(tile: TileSeen): boolean {
  return fast.every((parameter) => !/[0-9]/.test(tile.values[parameter]?.number ?? ''));
}

describe('one gateway, one display', () => {
  let unit: Unit;
  let browsing: Browsing;
  let station: Station;

  beforeAll(async () => {
    unit = await Unit.start({
      pumps: [
        { name: 'pump-1' },
        { name: 'pump-2', faults: [{ kind: 'sensor-off', at: 3 }] },
        { name: 'pump-3' },
        { name: 'pump-4', absent: true },
        {
          name: 'pump-5',
          only: { 'flow.blood': 380, 'pump.speed': 2400, 'press.drain': -40, 'press.post': 120 },
        },
        { name: 'pump-6', speed: 0 },
      ],
    });
    browsing = await Browsing.start();
    station = await Station.open(browsing, unit.main.url, { name: 'Ann', display: 'desk' });
  });

  afterAll(async () => {
    await browsing.end();
    await unit.end();
  });

  afterEach(async () => {
    unit.heal();
    await station.tileIs('pump-1', 'live', (tile) => tile.state === 'live' && shows(tile, 'live'), 15_000);
    expect(station.complaints).toEqual([]);
  });

  test('live: values move, the link is synced, and no word says that all is well', async () => {
    await station.linked('synced');
    await station.tileIs('pump-1', 'live', (tile) => tile.state === 'live' && shows(tile, 'live'));
    const first = (await station.tile('pump-1')).values['flow.blood']?.number;
    expect(first).toMatch(/[0-9]/);
    const { text } = await station.tile('pump-1');
    expect(text).not.toMatch(/\b(OK|fine|normal)\b/i);
  });

  test('never seen: an expected pump without an agent waits, hatched, without a number', async () => {
    const tile = await station.tileIs('pump-4', 'never seen', (seen) => seen.state === 'never-seen');
    expect(Object.values(tile.values).every((value) => !/[0-9]/.test(value.number))).toBe(true);
  });

  test('invalid: a sensor that is unplugged shows no number', async () => {
    const tile = await station.tileIs(
      'pump-2',
      'flow is invalid',
      (seen) => seen.values['flow.blood']?.state === 'invalid',
    );
    expect(tile.values['flow.blood']?.number).not.toMatch(/[0-9]/);
    expect(tile.values['press.drain']?.state).toBe('live');
    await station.shoot('overview-sensor-off');
  });

  test('not fitted: what a pump has no channel for shows no number, says so, and counts as nothing missing', async () => {
    const tile = await station.tileIs(
      'pump-5',
      'live',
      (seen) => seen.state === 'live' && shows(seen, 'live'),
    );
    for (const parameter of ['press.delta', 'sat.drain', 'temp.return']) {
      expect(tile.values[parameter]?.state, parameter).toBe('not-fitted');
      expect(tile.values[parameter]?.number, parameter).not.toMatch(/[0-9]/);
    }
    expect(await station.text('[data-testid="live-count"]')).toMatch(/^5 of 6/);
  });

  test('standby: a pump that was never set to run says so in place of a flow, and is not taken for one that stopped', async () => {
    const tile = await station.tileIs(
      'pump-6',
      'standby',
      (seen) => seen.state === 'live' && seen.values['flow.blood']?.state === 'standby',
    );
    expect(tile.values['flow.blood']?.number).toBe('STANDBY');
    expect(tile.values['pump.speed']?.state).toBe('standby');
    expect(tile.values['press.drain']?.state).toBe('live');
    expect(tile.alarms.map(({ condition }) => condition)).not.toContain('pump.stop');
    await station.shoot('overview-standby');
  });

  test('late, then stale: an agent that freezes takes its numbers from the glass within 3.5 s', async () => {
    const frozen = performance.now();
    unit.agent('pump-3').freeze();
    await station.tileIs('pump-3', 'late', (seen) => seen.values['flow.blood']?.state === 'late', 3_000);
    const tile = await station.tileIs('pump-3', 'stale', (seen) => shows(seen, 'stale'), 4_000);
    expect(performance.now() - frozen).toBeLessThan(4_000);
    expect(showsNoNumber(tile)).toBe(true);
    await station.alarmed('pump-3', 'comm.stale');
    await station.shoot('overview-agent-frozen');
    expect((await station.tile('pump-1')).state).toBe('live');
    unit.agent('pump-3').thaw();
    await station.tileIs('pump-3', 'live again', (seen) => shows(seen, 'live'));
  });

  test('an agent that is killed is told, and comes back as the same pump', async () => {
    await unit.agent('pump-3').kill();
    await station.tileIs(
      'pump-3',
      'no number',
      (seen) => seen.state !== 'live' && showsNoNumber(seen),
      5_000,
    );
    unit.agent('pump-3').start();
    await station.tileIs('pump-3', 'live again', (seen) => seen.state === 'live' && shows(seen, 'live'));
  });

  test('a broker that freezes withdraws every number while the link to the gateway stays', async () => {
    unit.broker.freeze();
    await station.tileIs('pump-1', 'no number', showsNoNumber, 5_000);
    expect(['synced', 'changed']).toContain(await station.link());
    unit.broker.thaw();
    await station.tileIs('pump-1', 'live again', (seen) => shows(seen, 'live'));
  });

  test('lost: a gateway that freezes shows a banner and no number within 3.5 s, and alarms stay as last known', async () => {
    await station.alarmed('pump-2', 'sensor.fault.flow.blood');
    const before = (await station.tile('pump-2')).alarms.map((alarm) => alarm.occurrence);
    const frozen = performance.now();
    unit.main.part.freeze();
    await station.linked('lost', 3_500);
    await station.tileIs('pump-1', 'no number', showsNoNumber, 4_000 - (performance.now() - frozen));
    expect(await station.banners()).toContain('lost');
    expect(['lost', 'high']).toContain(await station.attribute('[data-testid="sound"]', 'data-playing'));
    const { alarms } = await station.tile('pump-2');
    expect(alarms.map((alarm) => alarm.occurrence)).toEqual(before);
    expect(alarms.every((alarm) => alarm.state === 'last-known')).toBe(true);
    expect(await station.text('[data-testid="bar"]')).not.toMatch(/no alarms/i);
    await station.shoot('overview-gateway-frozen');
    unit.main.part.thaw();
    await station.tileIs('pump-1', 'live again', (seen) => shows(seen, 'live'));
    await until(
      'link is back',
      () => station.link(),
      (link) => link === 'synced' || link === 'changed',
    );
  });

  test('lost, then changed: a gateway that is killed is told at once, and its restart replaces everything', async () => {
    const killed = performance.now();
    await unit.main.part.kill();
    await station.linked('lost', 2_000);
    // Sooner than by silence: the connection itself says so.
    expect(performance.now() - killed).toBeLessThan(2_000);
    await station.shoot('overview-gateway-killed');
    unit.main.part.start();
    await station.tileIs('pump-1', 'live again', (seen) => shows(seen, 'live'), 15_000);
    await station.alarmed('pump-2', 'sensor.fault.flow.blood', 'active');
    // Each alarm is last known until its own sensor has been judged anew: one after the other.
    await station.tileIs('pump-2', 'no alarm only known from before', ({ alarms }) =>
      alarms.every((alarm) => alarm.state !== 'last-known'),
    );
  });

  test('a page that hangs 6 s shows no old number as a new one when it wakes', async () => {
    await station.tileIs('pump-1', 'live', (seen) => shows(seen, 'live'));
    await unit.agent('pump-1').kill();
    const hang = 'const end = performance.now() + 6000; while (performance.now() < end);';
    await station.cdp.send('Runtime.evaluate', { expression: hang });
    const tile = await station.tile('pump-1');
    expect(showsNoNumber(tile)).toBe(true);
    unit.agent('pump-1').start();
    await station.tileIs('pump-1', 'live again', (seen) => shows(seen, 'live'));
  });

  test.each([
    ['dies', 'self.close()'],
    ['hangs', 'setTimeout(() => { for (;;); })'],
  ])(
    'a worker that %s leaves no number and no moving pen: 3.5 s later the page says so, and another one takes its place',
    async (_what, end) => {
      const workers = new Set(station.page.workers());
      const [worker] = workers;
      // One that has died does not say that it has.
      void worker?.evaluate(end).catch(() => undefined);
      await station.linked('lost', 4_500);
      await station.tileIs('pump-1', 'no number', showsNoNumber, 500);
      expect(await station.banners()).toContain('worker-lost');
      expect(await station.attribute('[data-testid="sound"]', 'data-playing')).toBe('lost');
      await station.shoot('overview-worker-lost');
      await station.tileIs(
        'pump-1',
        'live again',
        (seen) => seen.state === 'live' && shows(seen, 'live'),
        8_000,
      );
      expect(station.page.workers().some((one) => !workers.has(one))).toBe(true);
      const waves = station.page.locator('[data-pump="nicu/pump-1"] .waves');
      const before = await waves.screenshot();
      await pause(1_000);
      expect((await waves.screenshot()).equals(before)).toBe(false);
    },
  );

  test('connecting: nothing looks idle or normal before the first snapshot, and it sounds after 10 s', async () => {
    const fresh = await Station.opening(browsing, unit.main.url, { display: 'late' });
    await fresh.context.route(
      '**/ui/settings.json',
      async (route) => {
        const response = await route.fetch();
        // All files are there; the gateway freezes before the page can ask for any pump.
        unit.main.part.freeze();
        await route.fulfill({ response });
      },
      { times: 1 },
    );
    await fresh.page.goto(unit.main.url, { waitUntil: 'load' });
    await until(
      'connecting',
      () => fresh.link(),
      (link) => link === 'connecting',
      3_000,
    );
    const text = await fresh.text('main');
    expect(text).not.toMatch(/no alarms|\b(OK|fine|normal)\b/i);
    expect(await fresh.text('[data-testid="counts"]')).toContain('?');
    await fresh.shoot('overview-connecting');
    await until(
      'it sounds as lost',
      () => fresh.attribute('[data-testid="sound"]', 'data-playing'),
      (playing) => playing === 'lost',
      13_000,
    );
    unit.main.part.thaw();
    await fresh.painted();
    await fresh.close();
    await until(
      'the other is back',
      () => station.link(),
      (link) => link === 'synced' || link === 'changed',
    );
  });

  test('the wall shows seconds that tick', async () => {
    const first = await station.text('[data-testid="clock"]');
    expect(first).toMatch(/[0-9]{1,2}:[0-9]{2}:[0-9]{2}/);
    await until(
      'the clock ticks',
      () => station.text('[data-testid="clock"]'),
      (now) => now !== first,
      2_500,
    );
    await holds(
      'the link stays',
      () => station.link(),
      (link) => link !== 'lost',
      500,
    );
  });
});
