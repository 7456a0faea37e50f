// Trends: null in a gap and never NaN, gaps with their reason, a table that holds the same numbers.
import { describe, expect, it } from 'vitest';

import type { GapReason, TrendAnswer, TrendSeries } from '../../../src/model/trend';
import {
  commonGaps,
  gapsOf,
  hasValues,
  isolatedBins,
  plotData,
  recordedSince,
  tableRows,
} from '../../../src/trends/data';
import { parametersOf, questionOf, questions, spans, usualSpan } from '../../../src/trends/groups';
import { parameterFacts, type ParameterId } from '../../../src/words/parameter';

const NR: GapReason = 'not-recorded';

function series(low: (number | null)[], high: (number | null)[], gap: (GapReason | null)[]): TrendSeries {
  return { parameter: 'flow.blood', unit: 'mL/min', low, high, gap };
}

function answer(...all: TrendSeries[]): TrendAnswer {
  const bins = all[0]?.low.length ?? 0;
  return { startWallMs: 60_000, binMs: 1_000, bins, series: all, marks: [], source: 'display', damaged: 0 };
}

const flow = series([null, null, 10, 11, null], [null, null, 12, 13, null], [NR, NR, null, null, 'no-data']);

describe('data of a plot', () => {
  it('has null where nothing is known, and never NaN', () => {
    const broken = series([NaN, 1, 1], [2, Infinity, 3], [null, null, null]);
    const data = plotData(answer(broken), [broken]);
    expect(data.low).toEqual([[null, null, 1]]);
    expect(data.high).toEqual([[null, null, 3]]);
    expect(data.middle).toEqual([[null, null, 2]]);
  });

  it('puts each bin at its middle, in seconds', () => {
    expect(plotData(answer(flow), [flow]).times).toEqual([60.5, 61.5, 62.5, 63.5, 64.5]);
  });

  it('takes a series that is too short for one with gaps', () => {
    const short = series([1], [2], [null]);
    const data = plotData({ ...answer(flow), series: [short] }, [short]);
    expect(data.low[0]).toEqual([1, null, null, null, null]);
  });
});

describe('gaps', () => {
  it('have their reason, and are told apart by it', () => {
    expect(gapsOf(flow, 5)).toEqual([
      { from: 0, to: 2, reason: NR },
      { from: 4, to: 5, reason: 'no-data' },
    ]);
    expect(gapsOf(series([null], [null], [null]), 1)).toEqual([{ from: 0, to: 1, reason: 'no-data' }]);
  });

  it('are hatched over the whole height only where no value of the plot is known', () => {
    const other = series(
      [1, null, null, 1, null],
      [1, null, null, 1, null],
      [null, NR, 'invalid', null, 'invalid'],
    );
    expect(commonGaps([flow, other], 5)).toEqual([
      { from: 1, to: 2, reason: NR },
      { from: 4, to: 5, reason: 'no-data' },
    ]);
    expect(commonGaps([], 5)).toEqual([]);
  });

  it('say since when this display has recorded', () => {
    expect(recordedSince(answer(flow))).toBe(62_000);
    expect(recordedSince(answer(series([null], [null], [NR])))).toBeNull();
    expect(hasValues(flow)).toBe(true);
    expect(hasValues(series([null, NaN], [null, 1], [NR, null]))).toBe(false);
  });
});

describe('a value that stands alone', () => {
  it('is found, at the ends too, so that it is drawn', () => {
    expect(isolatedBins([1, null, 2, 3, null, 4, null, 5])).toEqual([0, 5, 7]);
    expect(isolatedBins([null, null])).toEqual([]);
    expect(isolatedBins([1])).toEqual([0]);
  });
});

describe('table', () => {
  it('holds least and greatest of the same data, the newest first', () => {
    expect(tableRows(answer(flow), [flow], 100)).toEqual([
      { wallMs: 64_000, cells: [{ gap: 'no-data' }] },
      { wallMs: 63_000, cells: [{ low: 11, high: 13 }] },
      { wallMs: 62_000, cells: [{ low: 10, high: 12 }] },
      { wallMs: 61_000, cells: [{ gap: NR }] },
      { wallMs: 60_000, cells: [{ gap: NR }] },
    ]);
  });

  it('puts bins together and loses no extreme', () => {
    const rows = tableRows(answer(flow), [flow], 2);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toEqual({ wallMs: 60_000, cells: [{ low: 10, high: 12 }] });
    expect(rows[0]).toEqual({ wallMs: 63_000, cells: [{ low: 11, high: 13 }] });
  });
});

describe('questions', () => {
  it('asks few values of one unit in one plot, all of them known', () => {
    for (const question of questions) {
      for (const plot of question.plots) {
        expect(plot.parameters.length).toBeLessThanOrEqual(3);
        const units = plot.parameters.map((id) => parameterFacts[id as ParameterId][0]);
        expect(new Set(units).size, plot.parameters.join()).toBe(1);
      }
      expect(new Set(parametersOf(question)).size).toBe(parametersOf(question).length);
    }
    expect(questionOf('nonsense').name).toBe('inflow');
    expect(spans).toContain(usualSpan);
    expect(spans).toEqual([1, 4, 12, 24, 72]);
  });
});
