// Where moments and values lie on a sweep.
import { describe, expect, test } from 'vitest';

import { columnOf, eraseAhead, lanesOf, rowOf, stretches, type Sweep } from '../../../src/draw/geometry';

const sweep: Sweep = { spanMs: 6000, widthPx: 300, erasePx: 14 };

describe('a column', () => {
  test.each([
    [0, 0],
    [3000, 150],
    [5980, 299],
    [6000, 0],
    [6000 * 1_000_000 + 20, 1],
    [-20, 299],
  ])('of %d ms is %d', (timeMs, column) => {
    expect(columnOf(timeMs, sweep)).toBeCloseTo(column, 6);
  });

  test('is never beyond the canvas', () => {
    for (let timeMs = -10_000; timeMs < 20_000; timeMs += 7) {
      const column = columnOf(timeMs, sweep);
      expect(column).toBeGreaterThanOrEqual(0);
      expect(column).toBeLessThan(sweep.widthPx);
    }
  });
});

describe('the columns between two moments', () => {
  test.each([
    ['within a lap', 1000, 1100, [{ from: 50, to: 55 }]],
    [
      'over the right edge',
      5900,
      6100,
      [
        { from: 295, to: 300 },
        { from: 0, to: 5 },
      ],
    ],
    ['up to the right edge', 5900, 6000, [{ from: 295, to: 300 }]],
    ['of a whole lap or more', 100, 7000, [{ from: 0, to: 300 }]],
    ['of no time', 500, 500, []],
    ['of a time that goes back', 500, 400, []],
    ['of no number', Number.NaN, 400, []],
  ])('%s', (_, from, to, expected) => {
    const found = stretches(from, to, sweep);
    expect(found).toHaveLength(expected.length);
    found.forEach((stretch, at) => {
      expect(stretch.from).toBeCloseTo(expected[at]!.from, 6);
      expect(stretch.to).toBeCloseTo(expected[at]!.to, 6);
    });
  });

  test('cover as many columns as time has passed, wherever they lie', () => {
    for (let from = 0; from < 12_000; from += 131) {
      for (const length of [20, 33, 300, 2000, 5999]) {
        const covered = stretches(from, from + length, sweep).reduce((sum, s) => sum + s.to - s.from, 0);
        expect(covered).toBeCloseTo((length / 6000) * 300, 6);
      }
    }
  });
});

describe('the blank before the pen', () => {
  test('is as wide as the erase gap', () => {
    expect(eraseAhead(3000, sweep)).toEqual([{ from: 150, to: 164 }]);
  });

  test('wraps with the pen', () => {
    const found = eraseAhead(5900, sweep);
    expect(found.map(({ from, to }) => to - from).reduce((a, b) => a + b)).toBeCloseTo(14, 6);
    expect(found).toHaveLength(2);
  });

  test('is never more than the canvas', () => {
    expect(eraseAhead(0, { spanMs: 6000, widthPx: 10, erasePx: 14 })).toEqual([{ from: 0, to: 10 }]);
  });
});

describe('a row', () => {
  const lane = { top: 10, height: 44, margin: 2 };
  const scale = { low: -100, high: 100 };

  test.each([
    [100, 12],
    [-100, 52],
    [0, 32],
    [32_767, 12],
    [-32_768, 52],
    [Number.POSITIVE_INFINITY, 12],
  ])('of %d is %d: what is beyond the scale stays on its edge', (value, row) => {
    expect(rowOf(value, scale, lane)).toBeCloseTo(row, 6);
  });
});

test('lanes share the height and do not touch', () => {
  expect(lanesOf(100, 3, 5, 1)).toEqual([
    { top: 0, height: 30, margin: 1 },
    { top: 35, height: 30, margin: 1 },
    { top: 70, height: 30, margin: 1 },
  ]);
});
