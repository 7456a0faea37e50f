// What stands in the place of a number.
import { expect, test } from 'vitest';

import type { ValueState } from '../../../src/model/picture';
import { besideNumber, numberOf } from '../../../src/overview/number-text';
import { valueWith } from '../../fixture/pictures';

const withState = (state: ValueState) => valueWith('flow.blood', { state, value: 412, ageMs: 1800 });

test.each([
  ['live', '412', ''],
  ['late', '412', '1.8\u00a0s'],
  ['standby', '412', ''],
  ['stale', '- - -', 'NO DATA'],
  ['invalid', '-?-', 'SENSOR'],
  ['never-seen', '- - -', 'WAITING'],
  ['not-fitted', '- - -', 'not fitted'],
] as const)('a %s value shows %j and %j', (state, number, beside) => {
  expect(numberOf(withState(state))).toBe(number);
  expect(besideNumber(withState(state))).toBe(beside);
});

test('a number is never shown in a state that has none, whatever was known', () => {
  for (const state of ['stale', 'invalid', 'never-seen', 'not-fitted'] as const) {
    expect(numberOf(withState(state))).not.toContain('4');
  }
});

test('a value that is missing or no number is never NaN', () => {
  expect(numberOf(valueWith('flow.blood', { value: null }))).toBe('- - -');
  expect(numberOf(valueWith('flow.blood', { value: Number.NaN }))).toBe('- - -');
});

test('a measurement that the device doubts is shown with that word', () => {
  expect(besideNumber(valueWith('flow.blood', { reason: 'questionable' }))).toContain('DOUBTED');
});
