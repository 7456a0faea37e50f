// Every screen: nothing that axe finds wrong, no complaint, a picture of it; and a walk by the keyboard alone.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Browsing, Station } from './rig/station';
import { pumps, Unit } from './rig/unit';
import { until } from './rig/wait';

let unit: Unit;
let browsing: Browsing;
let station: Station;

beforeAll(async () => {
  const wishes = pumps(8).map((pump, index) => {
    const faults = [
      { at: 1, kind: 'pump-stop' },
      { at: 3, kind: 'drainage-obstruction' },
      { at: 5, kind: 'sensor-off' },
      { at: 7, kind: 'mains-loss' },
    ].filter((fault) => fault.at === index);
    return { ...pump, faults: faults.map(({ kind }) => ({ kind, at: 4 })), absent: index === 6 };
  });
  unit = await Unit.start({ pumps: wishes });
  browsing = await Browsing.start();
  station = await Station.open(browsing, unit.main.url, { display: 'desk' });
  await station.alarmed('pump-02', 'pump.stop', 'active');
});

afterAll(async () => {
  await browsing.end();
  await unit.end();
});

afterEach(() => {
  expect(station.complaints).toEqual([]);
});

async function theme(wanted: string): Promise<void> {
  await until(
    `theme ${wanted}`,
    async () => {
      const now = await station.attribute('html', 'data-theme');
      if (now !== wanted) await station.page.locator('[data-testid="theme"]').click();
      return now;
    },
    (now) => now === wanted,
    10_000,
    300,
  );
}

async function go(hash: string, screen: string): Promise<void> {
  await station.page.evaluate((to) => (location.hash = to), hash);
  await until(
    'the screen',
    () => station.attribute('[data-testid="page"]', 'data-screen'),
    (now) => now === screen,
  );
}

describe.each(['day', 'dim', 'night'])('theme %s', (name) => {
  test.each([
    ['overview', '#/', 'overview'],
    ['pump', '#/pump/nicu/pump-02', 'pump'],
    ['alarms', '#/alarms', 'alarms'],
    ['trends', '#/trends/nicu/pump-02', 'trends'],
    ['settings', '#/settings', 'settings'],
  ])('%s: axe finds nothing wrong', async (what, hash, screen) => {
    await theme(name);
    await go(hash, screen);
    await station.page.waitForTimeout(400);
    await station.shoot(`${what}-${name}`);
    // Of what axe looks at, a theme changes the colours alone.
    expect(await station.axe(name === 'dim' ? 'all' : 'colours')).toEqual([]);
  });
});

test('the tabs of the alarm centre and of the settings, and the dialogs: axe finds nothing wrong', async () => {
  await theme('dim');
  for (const tab of ['history', 'missed']) {
    await go('#/alarms', 'alarms');
    await station.page.locator(`[data-testid="tab-${tab}"]`).click();
    await station.shoot(`alarms-${tab}`);
    expect(await station.axe(), tab).toEqual([]);
  }
  await go('#/', 'overview');
  for (const dialog of ['keys', 'operator']) {
    await station.page.locator(`[data-testid="${dialog}"]`).click();
    await station.page.locator(`[data-testid="${dialog}-dialog"]`).waitFor();
    await station.shoot(`dialog-${dialog}`);
    expect(await station.axe(), dialog).toEqual([]);
    await station.page.keyboard.press('Escape');
    await station.page.locator(`[data-testid="${dialog}-dialog"]`).waitFor({ state: 'detached' });
  }
});

test.each(['de', 'es', 'fr'])('the overview and the alarm centre speak %s', async (language) => {
  const other = await Station.open(browsing, unit.main.url, { language, display: language });
  expect(await other.attribute('html', 'lang')).toBe(language);
  await other.alarmed('pump-02', 'pump.stop');
  await other.shoot(`overview-${language}`);
  expect(await other.axe()).toEqual([]);
  expect(other.complaints).toEqual([]);
  await other.close();
});

test('a person with a keyboard alone finds an alarm, acknowledges it, pauses, and comes back', async () => {
  const { keyboard } = station.page;
  const screen = (wanted: string): Promise<string> =>
    until(
      `screen ${wanted}`,
      () => station.attribute('[data-testid="page"]', 'data-screen'),
      (now) => now === wanted,
    );
  await go('#/', 'overview');
  await station.page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  });
  // The second pump, by arrows.
  await keyboard.press('ArrowRight');
  const focused = (): Promise<string> =>
    station.page.evaluate(
      () => document.activeElement?.closest('[data-pump]')?.getAttribute('data-pump') ?? '',
    );
  for (let tries = 0; tries < 3 && (await focused()) !== 'nicu/pump-02'; tries += 1)
    await keyboard.press('ArrowRight');
  expect(await focused()).toBe('nicu/pump-02');
  await station.shoot('overview-focus');
  await keyboard.press('Enter');
  await screen('pump');
  expect(await station.attribute('[data-testid="pump"]', 'data-pump')).toBe('nicu/pump-02');
  await keyboard.press('a');
  await screen('alarms');
  const wanted = '[data-testid="acknowledge"]';
  const isOn = (): Promise<boolean> =>
    station.page.evaluate(
      (which) =>
        document.activeElement?.matches(which) === true &&
        document.activeElement.closest('[data-condition="pump.stop"]') !== null,
      wanted,
    );
  for (let tabs = 0; tabs < 80 && !(await isOn()); tabs += 1) await keyboard.press('Tab');
  expect(await isOn()).toBe(true);
  await keyboard.press('Enter');
  // Nobody has said who stands here: the dialog asks.
  await station.page.locator('dialog[open]').waitFor();
  await station.shoot('dialog-acknowledge');
  expect(await station.axe()).toEqual([]);
  await keyboard.type('Ann');
  await keyboard.press('Enter');
  const row = '[data-testid="alarm-centre"] [data-condition="pump.stop"]';
  await until(
    'acknowledged',
    () => station.attribute(row, 'data-state'),
    (state) => state === 'acknowledged',
    4_000,
  );
  for (const [key, to] of [
    ['t', 'trends'],
    ['s', 'settings'],
    ['Escape', 'overview'],
  ] as const) {
    await keyboard.press(key);
    await screen(to);
  }
  await keyboard.press('?');
  await station.page.locator('[data-testid="keys-dialog"]').waitFor();
  await keyboard.press('Escape');
  await station.page.locator('[data-testid="keys-dialog"]').waitFor({ state: 'detached' });
  const paused = await station.notes('[data-testid="bar"] [data-testid="pause"][data-state="paused"]');
  await keyboard.press('p');
  await paused(8_000);
});
