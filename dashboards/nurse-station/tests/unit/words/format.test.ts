// Numbers, units, ages and times as text: fixed digits, a decimal comma by language, nothing that could be read wrongly.
import { describe, expect, it } from 'vitest';

import {
  ageText,
  countdownText,
  dateText,
  latencyText,
  limitNumber,
  minuteText,
  numberText,
  timeText,
  unitText,
  valueNumber,
  wallMs,
  withUnit,
} from '../../../src/words/format';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u2212', '-');

describe('numbers', () => {
  it('has fixed digits, a comma where the language writes one, and a true minus', () => {
    expect(numberText('en', 36.5, 1)).toBe('36.5');
    expect(numberText('de', 36.5, 1)).toBe('36,5');
    expect(numberText('es', 7.4, 2)).toBe('7,40');
    expect(numberText('fr', -63, 0)).toBe('\u221263');
    expect(numberText('en', 12345, 0)).toBe('12345');
  });

  it('never shows a negative zero, and never what is no number', () => {
    expect(numberText('en', -0.04, 1)).toBe('0.0');
    for (const value of [NaN, Infinity, -Infinity]) {
      expect(numberText('en', value, 1)).toBe('- - -');
      expect(limitNumber('en', value)).toBe('- - -');
    }
  });

  it('gives each parameter its digits, and one in another unit one digit', () => {
    expect(valueNumber('en', 'flow.blood', 'mL/min', 412.4)).toBe('412');
    expect(valueNumber('de', 'temp.return', 'Cel', 36.54)).toBe('36,5');
    expect(valueNumber('en', 'flow.blood', 'L/min', 0.412)).toBe('0.4');
    expect(valueNumber('en', 'of.tomorrow', '%', 5)).toBe('5.0');
    expect(valueNumber('de', 'air.bubble', '{bool}', 1)).toBe('ja');
    expect(valueNumber('en', 'power.mains', '{bool}', 0)).toBe('no');
    expect(valueNumber('en', 'power.mains', '{bool}', NaN)).toBe('- - -');
  });

  it('does not round a limit that a person set', () => {
    expect(limitNumber('en', -62.5)).toBe('\u221262.5');
    expect(limitNumber('de', 0.8)).toBe('0,8');
    expect(limitNumber('en', 70)).toBe('70');
    expect(limitNumber('en', 1200)).toBe('1200');
  });

  it('writes units as people do', () => {
    expect(unitText('en', 'mm[Hg]')).toBe('mmHg');
    expect(unitText('fr', '{rev}/min')).toBe('tr/min');
    expect(unitText('en', 'Cel')).toBe('°C');
    expect(withUnit('en', '7.40', '[pH]')).toBe('7.40');
    expect(plain(withUnit('en', '412', 'mL/min'))).toBe('412 mL/min');
  });
});

describe('ages and times', () => {
  it.each([
    [0, '0.0 s'],
    [999, '0.9 s'],
    [9_999, '9.9 s'],
    [14_900, '14 s'],
    [119_999, '119 s'],
    [125_000, '2 min 05 s'],
    [7_620_000, '2 h 07 min'],
    [273_600_000, '3 d 4 h'],
    [-5, '0.0 s'],
  ])('cuts the age %d ms and carries its unit', (ms, text) => {
    expect(plain(ageText('en', ms))).toBe(text);
  });

  it('counts down to nothing only at the end', () => {
    expect(countdownText(120_000)).toBe('2:00');
    expect(countdownText(107_001)).toBe('1:48');
    expect(countdownText(1)).toBe('0:01');
    expect(countdownText(0)).toBe('0:00');
    expect(countdownText(-7)).toBe('0:00');
    expect(countdownText(3_725_000)).toBe('1:02:05');
    expect(countdownText(NaN)).toBe('-:--');
  });

  it('gives a latency the unit that suits it', () => {
    expect(plain(latencyText('en', 0.412))).toBe('0.41 ms');
    expect(plain(latencyText('de', 1_240))).toBe('1,24 s');
    expect(plain(latencyText('en', 12.4))).toBe('12 ms');
  });

  it('labels wall times of the gateway, and says when there is none', () => {
    const at = wallMs(1_767_362_580_000_000_000n);
    expect(timeText('en', at, 'UTC')).toBe('14:03:00');
    expect(minuteText('de', at, 'UTC')).toBe('14:03');
    expect(dateText('en', at, 'UTC')).toContain('02/01');
    expect(timeText('en', wallMs(0n))).toBe('--:--:--');
    expect(timeText('en', NaN)).toBe('--:--:--');
  });
});
