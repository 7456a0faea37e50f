// Trends: least and greatest value of each bin, and a gap that stays a gap.

import { describe, expect, it } from 'vitest';

import type { Tile } from '../../../src/model/picture';
import { Recorder } from '../../../src/model/recorder';
import { emptyPicture } from '../../../src/model/empty';
import { A, Desk, pump, pumps, reading, snapshot } from './messages';

const HOUR = 3_600_000;
const KEY = 'nicu/p1';

/** A tile of a pump whose flow is this now. */
function tile(value: number | null, data: Tile['data'] = 'live'): Tile {
  const of = new Desk();
  of.screen.onAlarms(A, snapshot(0, []), 0);
  of.screen.onWard(A, pumps(0, 0, [pump(0, { readings: [reading(0, 'flow.blood', value ?? 0)] })]), 0);
  const [made] = of.picture(0).tiles;
  if (made === undefined) throw new Error('no tile');
  const state = value === null ? 'stale' : 'live';
  return { ...made, data, values: made.values.map((one) => ({ ...one, state, value })) };
}

const read = (recorder: Recorder, spanMs: number, at: number) => {
  const answer = recorder.read(KEY, ['flow.blood'], spanMs, at);
  return { ...answer, flow: answer.series[0]! };
};

describe('the recorder', () => {
  it('keeps the least and the greatest value of each bin', () => {
    const recorder = new Recorder();
    for (const [at, value] of [
      [10_000, 5],
      [11_000, -3],
      [14_999, 9],
      [15_000, 7],
    ] as const) {
      recorder.observe([tile(value)], at);
    }
    const { flow, startMs, binMs } = read(recorder, 10_000, 15_000);
    expect([flow.low, flow.high, flow.gap]).toEqual([
      [-3, 7],
      [9, 7],
      [null, null],
    ]);
    expect([startMs, binMs]).toEqual([10_000, 5_000]);
  });

  it('says of the time before it was opened that nothing was recorded', () => {
    const recorder = new Recorder();
    recorder.observe([tile(5)], 20_000);
    const { flow } = read(recorder, 15_000, 20_000);
    expect(flow.low).toEqual([null, null, 5]);
    expect(flow.gap).toEqual(['not-recorded', 'not-recorded', null]);
    expect(recorder.read(KEY, ['pt.spo2'], 10_000, 20_000).series[0]).toMatchObject({
      gap: ['not-recorded', 'not-recorded'],
    });
  });

  it('says why a bin is empty, and bridges nothing', () => {
    const recorder = new Recorder();
    recorder.observe([tile(5)], 0);
    recorder.observe([tile(null, 'silent')], 5_000);
    recorder.observe([tile(null, 'unheard')], 10_000);
    // Nobody looked for two bins.
    recorder.observe([tile(6)], 25_000);
    const { flow } = read(recorder, 30_000, 25_000);
    expect(flow.low).toEqual([5, null, null, null, null, 6]);
    expect(flow.gap).toEqual([null, 'no-data', 'link-lost', 'not-recorded', 'not-recorded', null]);
  });

  it('puts a value where it was measured', () => {
    const recorder = new Recorder();
    recorder.observe([tile(5)], 0);
    const late = tile(7);
    recorder.observe(
      [{ ...late, values: late.values.map((one) => ({ ...one, state: 'late' as const, ageMs: 2_000 })) }],
      6_000,
    );
    expect(read(recorder, 10_000, 6_000).flow).toMatchObject({
      high: [7, null],
      gap: [null, 'not-recorded'],
    });
  });

  it('keeps an hour of 5 s and 72 hours of 5 min, and no more', () => {
    const recorder = new Recorder();
    for (let at = 0; at < 80 * HOUR; at += 60_000) recorder.observe([tile(at / HOUR)], at);
    const end = 80 * HOUR - 60_000;
    const hour = read(recorder, HOUR, end);
    expect([hour.bins, hour.binMs]).toEqual([720, 5_000]);
    expect(hour.flow.low.filter((value) => value !== null).length).toBe(60);
    const days = read(recorder, 72 * HOUR, end);
    expect([days.bins, days.binMs]).toEqual([864, 300_000]);
    expect(days.flow.low.every((value) => value !== null)).toBe(true);
    expect(days.flow.low[0]).toBeGreaterThanOrEqual(8);
    expect(read(recorder, 2 * HOUR, end).bins, 'beyond an hour by 5 min').toBe(24);
  });

  it('never answers NaN', () => {
    const recorder = new Recorder();
    recorder.observe([tile(NaN)], 0);
    recorder.observe(emptyPicture(0).tiles, 5_000);
    const { flow } = read(recorder, 30_000, 5_000);
    for (const value of [...flow.low, ...flow.high])
      expect(value === null || Number.isFinite(value)).toBe(true);
  });
});
