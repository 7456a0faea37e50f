// Every task by the keyboard alone: what a person does with hands in gloves and a mouse that is broken.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Browsing, Station } from './rig/station';
import { Unit } from './rig/unit';
import { until } from './rig/wait';

let unit: Unit;
let browsing: Browsing;
let desk: Station;

beforeAll(async () => {
  unit = await Unit.start({ pumps: [{ name: 'pump-1', faults: [{ kind: 'mains-loss', at: 3 }] }] });
  browsing = await Browsing.start();
  desk = await Station.open(browsing, unit.main.url, { name: 'Ann', role: 'perfusionist', display: 'desk' });
  await desk.alarmed('pump-1', 'power.mains_lost', 'active');
});

afterAll(async () => {
  await browsing.end();
  await unit.end();
});

afterEach(() => {
  expect(desk.complaints).toEqual([]);
});

const id = (name: string): string => `[data-testid="${name}"]`;

/** Goes on with the tabulator until the focus is there; where it cannot be had by keys, that fails. */
async function tabTo(selector: string): Promise<void> {
  const isThere = (): Promise<boolean> =>
    desk.page.evaluate((which) => document.activeElement?.matches(which) === true, selector);
  await desk.page.locator(selector).first().waitFor();
  for (let steps = 0; steps < 150; steps += 1) {
    if (await isThere()) return;
    await desk.page.keyboard.press('Tab');
  }
  throw new Error(`the tabulator does not lead to ${selector}`);
}

async function press(selector: string): Promise<void> {
  await tabTo(selector);
  await desk.page.keyboard.press('Enter');
}

async function write(selector: string, text: string): Promise<void> {
  await tabTo(selector);
  await desk.page.keyboard.press('Control+a');
  await desk.page.keyboard.type(text);
}

function reads(selector: string, name: string, wanted: string): Promise<string> {
  const ask = (): Promise<string> => desk.attribute(selector, name);
  return until(`${selector} ${name} is ${wanted}`, ask, (now) => now === wanted);
}

test('by keys: a pump is opened, taken, handed over; a context begins and ends', async () => {
  await desk.page.keyboard.press('ArrowRight');
  await desk.page.keyboard.press('Enter');
  await reads(id('page'), 'data-screen', 'pump');
  await press(id('accept'));
  await press(id('ask-send'));
  await reads(id('ownership'), 'data-owner', 'Ann');
  await press(id('hand-over'));
  await write('#ask-to', 'Ben');
  await press(id('ask-send'));
  await desk.page.locator(id('offer')).waitFor();
  await press(id('context-start'));
  await tabTo('#ask-context');
  await desk.page.keyboard.press('ArrowDown');
  await write('#ask-minutes', '5');
  await press(id('ask-send'));
  await desk.page.locator(id('context')).waitFor();
  await press(id('context-end'));
  await desk.page.locator(id('context')).waitFor({ state: 'detached' });
});

test('by keys: the last seconds are printed, with their lines, alarms and the disclaimer, and nothing else on the paper', async () => {
  const { page } = desk;
  await page.evaluate(() => {
    const all = globalThis as unknown as { print: () => void; printed: number };
    all.printed = 0;
    all.print = () => (all.printed += 1);
  });
  await press(id('print'));
  await until(
    'it is printed once',
    () => page.evaluate(() => (globalThis as unknown as { printed: number }).printed),
    (times) => times === 1,
  );
  await page.emulateMedia({ media: 'print' });
  const strip = page.locator(id('print-strip'));
  const text = await strip.innerText();
  expect(text).toContain('nicu/pump-1');
  expect(text).toContain('Ann');
  expect(text).toContain('power.mains_lost');
  expect(text).toMatch(/not a medical device/i);
  const lines = await strip
    .locator('polyline')
    .evaluateAll((all) => all.map((line) => line.getAttribute('points')?.split(' ').length ?? 0));
  expect(Math.max(...lines)).toBeGreaterThan(100);
  const others = page.locator('[data-testid="bar"], [data-testid="ownership"]');
  for (const other of await others.all()) expect(await other.isVisible()).toBe(false);
  await desk.shoot('print-strip');
  await page.emulateMedia({ media: null });
});

test('by keys: an alarm is shelved with a reason, called back, acknowledged with a note', async () => {
  const row = `${id('alarm-centre')} [data-condition="power.mains_lost"]`;
  await desk.page.keyboard.press('a');
  await reads(id('page'), 'data-screen', 'alarms');
  await press(`${row} ${id('shelve')}`);
  await write('#ask-reason', 'transport');
  await write('#ask-minutes', '10');
  await press(id('ask-send'));
  await press(`${row} ${id('unshelve')}`);
  await press(`${row} ${id('acknowledge-note')}`);
  await write('#ask-note', 'cable found');
  await press(id('ask-send'));
  await reads(row, 'data-state', 'acknowledged');
  expect(await desk.text(row)).toContain('cable found');
});

test('by keys: a case is begun, a limit tried and set with a reason', async () => {
  await desk.page.keyboard.press('s');
  await reads(id('page'), 'data-screen', 'settings');
  await tabTo('[role="tab"]');
  const tabs = await desk.page.locator('[role="tab"]').count();
  for (
    let steps = 0;
    steps < tabs && (await desk.attribute(id('settings'), 'data-tab')) !== 'limits';
    steps += 1
  ) {
    await desk.page.keyboard.press('ArrowRight');
    await desk.page.keyboard.press('Enter');
  }
  await reads(id('settings'), 'data-tab', 'limits');
  await press(id('case-start'));
  await write('#case-pseudonym', 'bear');
  await write('#case-weightKg', '3.2');
  await write('#case-flowTarget', '400');
  await press(id('case-send'));
  await desk.page.locator(id('case-form')).waitFor({ state: 'detached' });
  const limit = `${id('limit')}[data-rule="drain.low.warn"]`;
  await press(`${limit} ${id('limit-change')}`);
  await write(id('limit-number'), '-60');
  await press(id('limit-preview'));
  await reads(id('preview'), 'data-state', 'given');
  await write(id('limit-reason'), 'low volume, watched');
  await press(id('limit-set'));
  await reads(limit, 'data-set', 'true');
});
