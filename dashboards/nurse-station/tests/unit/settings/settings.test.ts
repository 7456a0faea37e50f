// Settings: numbers that people type, what may be set, roles, cases, addresses.
import { describe, expect, it } from 'vitest';

import type { LimitInForce } from '../../../src/model/treatment';
import { caseOf, entryOf, wrongInCase } from '../../../src/settings/case-entry';
import { limitInForceText, madeText, numberOf, wrongNumber } from '../../../src/settings/limit-entry';
import { isRole, may, roles } from '../../../src/settings/roles';
import { tabOf } from '../../../src/settings/tabs';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u2212', '-');

const limit = (more: Partial<LimitInForce> = {}): LimitInForce => ({
  rule: 'drain.low.warn',
  condition: 'drain.low.warn',
  parameter: 'press.drain',
  side: 'below',
  number: -50,
  numberUnit: 'mm[Hg]',
  isSet: false,
  profileNumber: -50,
  limit: -50,
  unit: 'mm[Hg]',
  settableLow: -70,
  settableHigh: -20,
  priority: 'medium',
  delayMs: 2_000,
  ...more,
});

describe('numbers that people type', () => {
  it('takes comma and point, and any minus', () => {
    for (const [text, number] of [
      ['70', 70],
      ['0,8', 0.8],
      ['0.8', 0.8],
      [' -62,5 ', -62.5],
      ['\u221262.5', -62.5],
    ] as const) {
      expect(numberOf(text), text).toBe(number);
    }
  });

  it('takes nothing that could mean two things', () => {
    for (const text of ['', '-', '1,000,0', '1 000', '1e3', '0x10', 'abc', '1.2345', 'NaN', '12px', '.5']) {
      expect(numberOf(text), text).toBeNull();
    }
  });

  it('says what to enter instead', () => {
    expect(plain(wrongNumber('en', limit(), 'x'))).toContain('such as -50');
    expect(plain(wrongNumber('en', limit(), '-71'))).toBe('-71 is out of range: enter -70 to -20.');
    expect(wrongNumber('en', limit(), '-50')).toContain('in force');
    expect(wrongNumber('en', limit(), '-60')).toBe('');
    expect(wrongNumber('en', limit({ settableLow: null }), '-60')).not.toBe('');
  });

  it('shows a limit with its side, what it is made of, and when it follows another value', () => {
    expect(plain(limitInForceText('en', limit()))).toBe('< -50 mmHg');
    expect(limitInForceText('en', limit({ limit: null }))).toBe('follows another value');
    expect(plain(madeText('de', limit({ numberUnit: '1' }), 0.8))).toBe('0,8 Anteil');
    expect(plain(madeText('en', limit({ numberUnit: 'mL/kg/min' }), 80))).toBe('80 mL/kg/min');
  });
});

describe('case', () => {
  it('keeps what the form does not ask for, and leaves unknown what was left empty', () => {
    const before = caseOf({ ...entryOf(null), pseudonym: 'bear', weightKg: '3,2' }, null);
    expect(before).toMatchObject({ pseudonym: 'bear', weightKg: 3.2, flowTarget: null, therapy: null });
    const after = caseOf(
      { ...entryOf({ ...before, oxygenator: 'Hilite' }), flowTarget: '360' },
      {
        ...before,
        oxygenator: 'Hilite',
      },
    );
    expect(after).toMatchObject({ oxygenator: 'Hilite', weightKg: 3.2, flowTarget: 360 });
  });

  it('names what is wrong', () => {
    expect(Object.keys(wrongInCase('en', entryOf(null)))).toEqual(['pseudonym']);
    const wrong = wrongInCase('en', { ...entryOf(null), pseudonym: 'bear', weightKg: '32', speedMax: 'x' });
    expect(Object.keys(wrong).sort()).toEqual(['speedMax', 'weightKg']);
    expect(wrong.weightKg).toContain('0.3');
  });
});

describe('roles', () => {
  it('offers a viewer nothing, and limits to a perfusionist alone', () => {
    const tasks = ['acknowledge', 'pause', 'shelve', 'own', 'context', 'bed', 'limit', 'case'] as const;
    for (const task of tasks) expect(may('viewer', task), task).toBe(false);
    expect(roles.filter((role) => may(role, 'limit'))).toEqual(['perfusionist']);
    expect(roles.filter((role) => may(role, 'acknowledge'))).toEqual(['nurse', 'perfusionist']);
    expect(isRole('nurse')).toBe(true);
    expect(isRole('admin')).toBe(false);
    expect(isRole(undefined)).toBe(false);
  });
});

describe('addresses', () => {
  it('opens the tab and the pump, and the first tab for all that is not known', () => {
    expect(tabOf('limits:nicu/p1')).toEqual({ tab: 'limits', pump: 'nicu/p1' });
    expect(tabOf('sound')).toEqual({ tab: 'sound', pump: '' });
    expect(tabOf('nonsense')).toEqual({ tab: 'beds', pump: '' });
  });
});
