// The single pump: groups of values, the freeze that ends by itself, the printed strip in which a gap stays a gap.
import { describe, expect, it } from 'vitest';

import type { Value } from '../../../src/model/picture';
import type { Strip } from '../../../src/model/trend';
import { FREEZE_MAX_MS, frozenMs, isOver } from '../../../src/pump/freeze';
import { grouped, groupOf } from '../../../src/pump/groups';
import { lineOf, rangeOf } from '../../../src/pump/strip';
import { parameterFacts } from '../../../src/words/parameter';

const value = (parameter: string): Value => ({ parameter }) as Value;

describe('groups', () => {
  it('shows every value of the gateway once', () => {
    const all = Object.keys(parameterFacts).concat('of.tomorrow').map(value);
    const shown = grouped(all).flatMap((group) => group.values.map((each) => each.parameter));
    expect([...shown].sort()).toEqual(all.map((each) => each.parameter).sort());
  });

  it('begins with what people ask for', () => {
    const groups = grouped(['press.post', 'pump.speed', 'flow.blood', 'press.drain'].map(value));
    expect(groups.map((group) => [group.name, group.values.map((each) => each.parameter)])).toEqual([
      ['flow', ['flow.blood', 'pump.speed']],
      ['pressure', ['press.drain', 'press.post']],
    ]);
    expect(groupOf('flow.acoustic_quality')).toBe('device');
    expect(groupOf('hb')).toBe('gas');
  });
});

describe('freeze', () => {
  it('ends by itself after a minute, and when time goes backwards', () => {
    expect(isOver(1_000, 1_000 + FREEZE_MAX_MS - 1)).toBe(false);
    expect(isOver(1_000, 1_000 + FREEZE_MAX_MS)).toBe(true);
    expect(isOver(1_000, 999)).toBe(true);
    expect(frozenMs(1_000, 13_000)).toBe(12_000);
    expect(FREEZE_MAX_MS).toBe(60_000);
  });
});

describe('strip', () => {
  const strip = (values: (number | null)[]): Strip => ({
    parameter: 'flow.blood',
    unit: 'mL/min',
    startWallMs: 0,
    stepMs: 10,
    values,
  });

  it('breaks the line where nothing was measured', () => {
    const line = lineOf(strip([1, 2, null, null, 3, 4]), 100, 50);
    expect(line.pieces).toHaveLength(2);
    expect(line.gaps).toEqual([{ from: 20, to: 80 }]);
  });

  it('marks a gap that goes on to the end, and one at the begin', () => {
    expect(lineOf(strip([null, 1, null]), 100, 50).gaps).toEqual([
      { from: 0, to: 50 },
      { from: 50, to: 100 },
    ]);
    expect(lineOf(strip([null, null]), 100, 50)).toMatchObject({ pieces: [], gaps: [{ from: 0, to: 100 }] });
  });

  it('never makes a range without height', () => {
    for (const values of [[], [null], [5, 5], [0]]) {
      const { low, high } = rangeOf(values);
      expect(high).toBeGreaterThan(low);
    }
    expect(lineOf(strip([5, 5]), 10, 10).pieces.join()).not.toContain('NaN');
  });
});
