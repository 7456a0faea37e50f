// Trends as the gateway keeps them: widened by what this display saw, gaps with their reason, alarms from their revisions.
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { keptMarks, keptTrend } from '../../../src/model/kept';
import type { TrendAnswer } from '../../../src/model/trend';
import { AlarmPriority, AlarmSchema, AlarmTransition } from '../../../src/wire/gen/ecmo/v1/alarm_pb';
import { Validity } from '../../../src/wire/gen/ecmo/v1/frame_pb';
import { AlarmRevisionSchema, HistoryGapReason } from '../../../src/wire/gen/ecmo/v1/history_pb';
import { QueryTrendResponseSchema } from '../../../src/wire/gen/ecmo/v1/history_service_pb';

const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n;

/** Six bins of 10 s from 100 s on: two with values, one gap each of three kinds, and one of which nothing is said. */
const kept = create(QueryTrendResponseSchema, {
  fromWallNs: ns(100_000),
  widthNs: ns(10_000),
  damagedRecords: 2n,
  series: [
    {
      parameter: 'flow.blood',
      unit: 'mL/min',
      count: [0n, 3n, 0n, 5n, 0n, 0n],
      min: [0, 390, 0, 395, 0, 0],
      max: [0, 410, 0, 402, 0, 0],
      mean: [0, 400, 0, 400, 0, 0],
      absences: [{ bucket: 2, reasons: [Validity.SENSOR_OFF, Validity.BELOW_RANGE] }],
    },
  ],
  gaps: [
    { fromWallNs: ns(90_000), toWallNs: ns(108_000), reason: HistoryGapReason.NOT_RUNNING },
    { fromWallNs: ns(108_000), toWallNs: ns(110_000), reason: HistoryGapReason.AGENT_RESTARTED },
    { fromWallNs: ns(121_000), toWallNs: ns(129_000), reason: HistoryGapReason.NOT_RECEIVED },
  ],
});

function display(startWallMs: number, low: (number | null)[]): TrendAnswer {
  const gap = low.map((value) => (value === null ? ('not-recorded' as const) : null));
  const series = [{ parameter: 'flow.blood', unit: 'mL/min', low, high: [...low], gap }];
  return { startWallMs, binMs: 5_000, bins: low.length, series, marks: [], source: 'display', damaged: 0 };
}

const joined = (recent: TrendAnswer): TrendAnswer => keptTrend(kept, recent, []);

describe('a kept trend', () => {
  it('has each gap with its reason, an excursion beyond the sensor first', () => {
    const { series, ...rest } = joined(display(100_000, []));
    expect(rest).toEqual({
      startWallMs: 100_000,
      binMs: 10_000,
      bins: 6,
      marks: [],
      source: 'gateway',
      damaged: 2,
    });
    expect(series[0]?.low).toEqual([null, 390, null, 395, null, null]);
    expect(series[0]?.high).toEqual([null, 410, null, 402, null, null]);
    expect(series[0]?.gap).toEqual(['not-running', null, 'below-range', null, 'no-data', 'no-data']);
  });

  it('is widened by what the display saw, and goes on where nothing is kept yet', () => {
    // From 135 s on: a dip that is not on disk, the newest twenty seconds, and what comes after the last bin.
    const { series } = joined(display(135_000, [320, null, 398, 399, 401, 777]));
    expect(series[0]?.low).toEqual([null, 390, null, 320, 398, 399]);
    expect(series[0]?.high).toEqual([null, 410, null, 402, 398, 401]);
    expect(series[0]?.gap.slice(3)).toEqual([null, null, null]);
  });

  it('takes nothing of another parameter, or of before and after', () => {
    const other = display(135_000, [1, 1, 1]);
    other.series.forEach((one) => (one.parameter = 'pump.speed'));
    expect(joined(other).series[0]?.low).toEqual(joined(display(0, [])).series[0]?.low);
    expect(joined(display(80_000, [1, 1, 1])).series[0]?.low).toEqual(joined(display(0, [])).series[0]?.low);
    expect(joined(display(160_000, [1])).series[0]?.low).toEqual(joined(display(0, [])).series[0]?.low);
  });
});

describe('kept alarms', () => {
  const revision = (atMs: number, occurrence: string, transition: AlarmTransition, present: boolean) =>
    create(AlarmRevisionSchema, {
      atWallNs: ns(atMs),
      alarm: create(AlarmSchema, {
        occurrence,
        condition: occurrence.split('/')[2] ?? '',
        priority: AlarmPriority.HIGH,
        transition,
        present,
      }),
    });

  it('reach from their first word to their end, in whatever order the words come', () => {
    const words = [
      revision(9_000, 'n/p/level.low/1', AlarmTransition.ENDED, false),
      revision(1_000, 'n/p/air.arterial/1', AlarmTransition.RAISED, true),
      revision(4_000, 'n/p/air.arterial/1', AlarmTransition.LATCHED, false),
      revision(5_000, 'n/p/air.arterial/1', AlarmTransition.ACKNOWLEDGED, false),
      revision(7_000, 'n/p/level.low/1', AlarmTransition.RAISED, true),
    ];
    const marks = keptMarks(words, []).map(({ wallMs, endWallMs, condition }) => [
      wallMs,
      endWallMs,
      condition,
    ]);
    expect(marks).toEqual([
      [1_000, 5_000, 'air.arterial'],
      [7_000, 9_000, 'level.low'],
    ]);
  });

  it('are not doubled by what is shown now, and end with the last word where nobody shows them', () => {
    const words = [
      revision(1_000, 'n/p/air.arterial/1', AlarmTransition.RAISED, true),
      revision(2_000, 'n/p/level.low/1', AlarmTransition.RAISED, true),
      revision(3_000, 'n/p/level.low/1', AlarmTransition.WORSENED, true),
    ];
    const now = { wallMs: 900, endWallMs: null, condition: 'air.arterial', priority: 'high' } as const;
    expect(keptMarks(words, [now]).map(({ wallMs, endWallMs }) => [wallMs, endWallMs])).toEqual([
      [900, null],
      [2_000, 3_000],
    ]);
  });
});
