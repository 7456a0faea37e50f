// A page at a gateway that asks people who they are: looking needs nobody, acting needs somebody whom it lets in.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Browsing, Station } from './rig/station';
import { PASSWORD, Unit } from './rig/unit';
import { until } from './rig/wait';

let unit: Unit;
let browsing: Browsing;
let station: Station;

beforeAll(async () => {
  unit = await Unit.start({
    pumps: [{ name: 'pump-1', faults: [{ kind: 'pump-stop', at: 3 }] }],
    accounts: { 'A. Nurse': 'clinician', 'A. Guest': 'viewer' },
  });
  browsing = await Browsing.start();
  station = await Station.open(browsing, unit.main.url, { name: 'Somebody', hash: '#/alarms' });
  await station.page.getByTestId('alarm').first().waitFor({ timeout: 15_000 });
});

afterAll(async () => {
  await browsing.end();
  await unit.end();
});

const operator = (): Promise<string> => station.text('[data-testid="operator"]');
const buttons = (): Promise<number> => station.page.locator('button[data-testid="acknowledge"]').count();

async function signIn(name: string, password: string): Promise<void> {
  await station.page.getByTestId('operator').click();
  await station.page.getByTestId('sign-name').fill(name);
  await station.page.getByTestId('sign-secret').fill(password);
  await station.page.getByTestId('sign-in').click();
}

async function signOut(): Promise<void> {
  await station.page.getByTestId('operator').click();
  await station.page.getByTestId('sign-out').click();
  await until('signed out', operator, (said) => said.includes('Sign in'));
}

test('nobody is signed in by a name that was kept: alarms are shown, and nothing can be done', async () => {
  await until('the sign-in', operator, (said) => said.includes('Sign in'));
  expect(await buttons()).toBe(0);
  expect(await station.page.getByTestId('pause').isDisabled()).toBe(true);
});

test('a wrong password is told, and the dialog is what axe demands', async () => {
  await signIn('A. Nurse', 'wrong horse');
  await station.page.getByTestId('sign-failed').waitFor();
  expect(await station.axe('all')).toEqual([]);
  await station.page.keyboard.press('Escape');
});

test('a viewer looks, a clinician acknowledges, and the name is the one that was proved', async () => {
  await signIn('a. guest', PASSWORD);
  await until('the viewer', operator, (said) => said.includes('A. Guest'));
  expect(await buttons()).toBe(0);
  await signOut();
  await signIn('a. nurse', PASSWORD);
  await until('the clinician', operator, (said) => said.includes('A. Nurse'));
  await station.page.locator('button[data-testid="acknowledge"]').first().click();
  const by = async (): Promise<string> => JSON.stringify(await unit.ctl('alarms'));
  await until('the acknowledgement', by, (said) => said.includes('A. Nurse'));
  await signOut();
  expect(await buttons()).toBe(0);
  expect(station.complaints).toEqual([]);
});
