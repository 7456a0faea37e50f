// An alarm in one line.
import { expect, test } from 'vitest';

import { alarmText, evidence, placeText, rowText, standing } from '../../../src/overview/row-text';
import { rowWith } from '../../fixture/pictures';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

test('the value that was alarmed about stands against its limit', () => {
  expect(plain(alarmText(rowWith({ worst: 208, value: 230, limit: 256, side: 'below' })))).toBe(
    '*** FLOW VERY LOW 208 < 256',
  );
});

test.each([
  ['above', 34, 30, '34 > 30'],
  ['below', -113, -38.412, '−113 < −38'],
  ['below', -38.2, -38, '−38.2 < −38'],
] as const)('%s: %d against %d is %s', (side, worst, limit, text) => {
  const row = rowWith({ parameter: 'press.drain', unit: 'mm[Hg]', worst, limit, side });
  expect(plain(evidence(row))).toBe(text);
});

test('a condition without a limit has no evidence, and no stray sign', () => {
  expect(evidence(rowWith({ limit: null, side: null }))).toBe('');
  expect(alarmText(rowWith({ limit: null, side: null }))).toBe('*** FLOW VERY LOW');
});

test('a detector has no evidence: its limit means nothing to people', () => {
  const air = rowWith({ unit: '{bool}', worst: 1, value: 1, limit: 0.5, side: 'above' });
  expect(evidence(air)).toBe('');
});

test('a condition that this page does not know is shown by its id', () => {
  expect(alarmText(rowWith({ condition: 'new.thing', limit: null }))).toBe('*** new.thing');
});

test('what is only last known says so, whatever else it is', () => {
  for (const change of [{ lastKnown: true }, { unheard: true }]) {
    expect(standing(rowWith({ state: 'acknowledged', ...change }))).toBe('LAST KNOWN');
  }
});

test('an alarm of another ward says so while it calls', () => {
  expect(standing(rowWith({ redirected: true }))).toBe('FROM ANOTHER WARD');
  expect(standing(rowWith())).toBe('');
});

test('it belongs to a bed, else a pump, else a gateway', () => {
  expect(placeText(rowWith({ bed: '3', pump: 'ecmo-03' }))).toBe('Bed 3');
  expect(placeText(rowWith({ bed: '', pump: 'ecmo-03' }))).toBe('ecmo-03');
  expect(placeText(rowWith({ bed: '', pump: '', gateway: 'east' }))).toBe('east');
});

test('a screen reader hears the priority as a word', () => {
  expect(rowText(rowWith({ priority: 'medium' }))).toMatch(/^MEDIUM Bed 1 /);
});
