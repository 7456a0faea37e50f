// What the page says when only a part of the wire is broken, late, or loses an acknowledgement; and when clocks jump.
import type { Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Browsing, Station } from './rig/station';
import { Unit } from './rig/unit';
import { holds, pause, until } from './rig/wait';
import { Wire } from './rig/wire';

let unit: Unit;
let browsing: Browsing;
let wire: Wire;
let station: Station;

beforeAll(async () => {
  unit = await Unit.start({
    pumps: [{ name: 'pump-1' }, { name: 'pump-2', faults: [{ kind: 'pump-stop', at: 4 }] }],
    movableClock: true,
  });
  wire = await Wire.to(unit.main.port);
  browsing = await Browsing.start();
  station = await Station.open(browsing, wire.url, { name: 'Ann', display: 'desk' });
  await station.alarmed('pump-2', 'pump.stop', 'active');
});

afterAll(async () => {
  await browsing.end();
  wire.end();
  await unit.end();
});

afterEach(async () => {
  wire.heal();
  expect(station.complaints).toEqual([]);
  await until(
    'the link is whole',
    () => station.link(),
    (link) => link === 'synced' || link === 'changed',
    15_000,
  );
});

test('telemetry only: a cut alarm stream marks every tile, and removes no alarm', async () => {
  wire.harm('WatchAlarms', { kind: 'cut' });
  await station.linked('telemetry-only', 4_000);
  expect((await station.tile('pump-1')).alarmsKnown).toBe(false);
  const tile = await station.tile('pump-2');
  expect(tile.alarms.find((alarm) => alarm.condition === 'pump.stop')?.state).toBe('last-known');
  expect(await station.banners()).toContain('telemetry-only');
  await station.tileIs('pump-1', 'still live', (seen) => seen.values['flow.blood']?.state === 'live');
  await station.shoot('overview-telemetry-only');
});

test('alarms only: a cut telemetry stream withdraws the numbers, and keeps the alarms', async () => {
  wire.harm('WatchWard', { kind: 'cut' });
  await station.linked('alarms-only', 4_000);
  const tile = await station.tileIs(
    'pump-1',
    'no number',
    (seen) => !/[0-9]/.test(seen.values['flow.blood']?.number ?? '0'),
    5_000,
  );
  expect(tile.alarmsKnown).toBe(true);
  const { alarms } = await station.tile('pump-2');
  expect(alarms.find((alarm) => alarm.condition === 'pump.stop')?.state).toBe('active');
  await station.shoot('overview-alarms-only');
});

test('delayed: what queues up 2 s is said to be old, and its ages count the queue', async () => {
  wire.harm('Watch', { kind: 'late', ms: 2_000 });
  await station.linked('delayed', 6_000);
  expect(await station.banners()).toContain('delayed');
  await station.tileIs('pump-1', 'not live', (seen) => seen.values['flow.blood']?.state !== 'live', 3_000);
  await station.shoot('overview-delayed');
});

test('an acknowledgement that is lost on the way is never painted as done', async () => {
  await station.page.goto(`${wire.url}/?display=desk#/alarms`);
  const row = '[data-testid="alarm-centre"] [data-condition="pump.stop"]';
  await station.page.locator(`${row} [data-testid="acknowledge"]`).waitFor();
  wire.harm('AcknowledgeAlarm', { kind: 'unasked' });
  await pause(1_000);
  await station.page.locator(`${row} [data-testid="acknowledge"]`).click();
  const isActive = (state: string): boolean => state === 'active';
  await holds('the row stays active', () => station.attribute(row, 'data-state'), isActive, 3_000);
  const attempt = await station.attribute(`${row}`, 'data-attempt');
  expect(attempt).toBe('unconfirmed');
  await station.shoot('acknowledge-unconfirmed');
  const told = JSON.stringify(await unit.ctl('alarms'));
  expect(told).not.toMatch(/"by":\s*"Ann"/);
});

test('an acknowledgement whose answer is lost is painted when the gateway tells of it', async () => {
  const row = '[data-testid="alarm-centre"] [data-condition="pump.stop"]';
  wire.harm('AcknowledgeAlarm', { kind: 'unanswered' });
  await station.page.locator(`${row} [data-testid="acknowledge"]`).click();
  await until(
    'acknowledged',
    () => station.attribute(row, 'data-state'),
    (state) => state === 'acknowledged',
    3_000,
  );
  await station.page.goto(`${wire.url}/?display=desk`);
  await station.painted();
});

test('a wall clock set back one hour at gateway and agents changes no age and no state', async () => {
  await station.tileIs('pump-1', 'live', (seen) => seen.values['flow.blood']?.state === 'live');
  const clock = (): Promise<string> => station.text('[data-testid="clock"]');
  const first = await until('the clock shows', clock, (text) => /^[0-9]/.test(text), 3_000);
  const hour = Number(first.split(':')[0]);
  unit.moveClock(-3_600);
  await holds(
    'pump-1 stays live',
    () => station.tile('pump-1'),
    (tile) => tile.state === 'live' && tile.values['flow.blood']?.state === 'live',
    4_000,
  );
  expect(['synced', 'changed']).toContain(await station.link());
  const back = (text: string): boolean => Number(text.split(':')[0]) === (hour + 23) % 24;
  await until('the clock follows the gateway', clock, back, 6_000);
  await station.shoot('overview-clock-back');
  unit.moveClock(0);
});

test.each(['WatchAlarms', 'WatchWard'])(
  'sequence gap: one message of %s that is lost begins it anew, and nothing of it is missing afterwards',
  async (stream) => {
    await station.tileIs('pump-1', 'live', (seen) => seen.values['flow.blood']?.state === 'live');
    const occurrences = async (): Promise<string[]> =>
      (await station.tile('pump-2')).alarms.map(({ occurrence }) => occurrence);
    const before = await occurrences();
    let begun = 0;
    const count = (request: Request): void => {
      if (request.url().includes(stream)) begun += 1;
    };
    station.page.on('request', count);
    wire.harm(stream, { kind: 'gap' });
    await until(
      'a message is lost',
      () => wire.pending,
      (left) => left === 0,
      5_000,
    );
    await until(
      'the stream is begun anew',
      () => begun,
      (times) => times === 1,
      3_000,
      20,
    );
    await until(
      'the link is whole',
      () => station.link(),
      // A second without a word was missing: for a while it is said to be delayed.
      (link) => link === 'synced',
      10_000,
    );
    station.page.off('request', count);
    expect(await occurrences()).toEqual(before);
    await station.tileIs('pump-1', 'live', (seen) => seen.values['flow.blood']?.state === 'live', 3_000);
  },
);
