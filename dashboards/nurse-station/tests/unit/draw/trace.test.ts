// What the pen draws of a channel, and what it never draws.
import { describe, expect, test } from 'vitest';

import { Trace, samplesMax, type Stroke } from '../../../src/draw/trace';

const periodMs = 10;

function steady(count: number, value = 1): number[] {
  return Array.from({ length: count }, () => value);
}

function traceWith(...blocks: [startMs: number, values: number[]][]): Trace {
  const trace = new Trace();
  for (const [startMs, values] of blocks) trace.push(startMs, periodMs, values);
  return trace;
}

/** Draws in steps of a frame and joins what was drawn. */
function drawn(trace: Trace, fromMs: number, toMs: number, silent = false): Stroke[] {
  trace.rewind(fromMs);
  const strokes: Stroke[] = [];
  for (let now = fromMs; now <= toMs; now += 33) strokes.push(...trace.advance(now, fromMs, silent));
  strokes.push(...trace.advance(toMs, fromMs, silent));
  return strokes;
}

function gaps(strokes: Stroke[]): [number, number][] {
  const joined: [number, number][] = [];
  for (const stroke of strokes) {
    if (stroke.kind !== 'gap') continue;
    const last = joined.at(-1);
    if (last !== undefined && last[1] === stroke.fromMs) last[1] = stroke.toMs;
    else joined.push([stroke.fromMs, stroke.toMs]);
  }
  return joined;
}

function lineTimes(strokes: Stroke[]): number[] {
  return [...new Set(strokes.flatMap((stroke) => (stroke.kind === 'line' ? stroke.times : [])))];
}

describe('the pen', () => {
  test('draws each sample once and joins one frame to the next', () => {
    const trace = traceWith([0, steady(100)]);
    const first = trace.advance(305, 0, false);
    const second = trace.advance(340, 0, false);
    expect(first).toEqual([{ kind: 'line', times: range(0, 300), values: steady(31) }]);
    expect(second).toEqual([{ kind: 'line', times: range(300, 340), values: steady(5) }]);
  });

  test('stops at the last sample: nothing is drawn ahead of it', () => {
    const trace = traceWith([0, steady(10)]);
    trace.advance(60, 0, false);
    trace.advance(2000, 0, false);
    expect(trace.drawnMs).toBe(90);
    expect(trace.advance(2500, 0, false)).toEqual([]);
  });

  test('draws nothing of the future, even when it is known', () => {
    const trace = traceWith([0, steady(100)]);
    expect(lineTimes(trace.advance(200, 0, false)).at(-1)).toBe(200);
  });

  test('draws nothing twice', () => {
    const trace = traceWith([0, steady(10)]);
    trace.advance(90, 0, false);
    expect(trace.advance(90, 0, false)).toEqual([]);
  });
});

describe('a gap', () => {
  test.each([
    ['one lost frame', 30],
    ['half a second', 500],
    ['more than a lap', 7000],
  ])('of %s stays a gap', (_, lengthMs) => {
    const trace = traceWith([0, steady(11)], [100 + lengthMs, steady(20)]);
    const strokes = drawn(trace, 0, 100 + lengthMs + 150);
    expect(gaps(strokes)).toEqual([[100, 100 + lengthMs]]);
    for (const stroke of strokes) {
      if (stroke.kind !== 'line') continue;
      stroke.times.slice(1).forEach((timeMs, at) => {
        expect(timeMs - stroke.times[at]!).toBeLessThanOrEqual(periodMs);
      });
    }
  });

  test('of one sample that came late by two periods is none', () => {
    const trace = traceWith([0, steady(11)], [120, steady(20)]);
    expect(gaps(drawn(trace, 0, 300))).toEqual([]);
  });

  test('of samples that do not hold is no line', () => {
    const trace = traceWith([0, [1, 1, 1, Number.NaN, Number.NaN, 1, 1]]);
    const strokes = drawn(trace, 0, 60);
    expect(gaps(strokes)).toEqual([[30, 50]]);
    expect(lineTimes(strokes)).toEqual([0, 10, 20, 50, 60]);
  });

  test('at the end grows while the trace is silent, and not before', () => {
    const trace = traceWith([0, steady(11)]);
    expect(gaps(drawn(trace, 0, 900))).toEqual([]);
    expect(trace.drawnMs).toBe(100);
    expect(trace.advance(3100, 0, true)).toEqual([{ kind: 'gap', fromMs: 100, toMs: 3100 }]);
    expect(trace.advance(3133, 0, true)).toEqual([{ kind: 'gap', fromMs: 3100, toMs: 3133 }]);
  });

  test('that was hatched is not bridged when data is back', () => {
    const trace = traceWith([0, steady(11)]);
    trace.advance(4000, 0, true);
    trace.push(4500, periodMs, steady(5));
    const strokes = trace.advance(4600, 0, false);
    expect(strokes[0]).toEqual({ kind: 'gap', fromMs: 4000, toMs: 4500 });
    expect(strokes[1]).toEqual({ kind: 'line', times: range(4500, 4540), values: steady(5) });
  });

  test('is what was before the first sample', () => {
    expect(gaps(drawn(traceWith([1000, steady(20)]), 0, 1100))).toEqual([[0, 1000]]);
  });

  test('is all of a pump that never said anything', () => {
    expect(new Trace().advance(5000, 0, true)).toEqual([{ kind: 'gap', fromMs: 0, toMs: 5000 }]);
    expect(new Trace().advance(5000, 0, false)).toEqual([]);
  });
});

describe('samples', () => {
  test('that were told already change nothing', () => {
    const trace = traceWith([0, steady(10)], [0, steady(10, 9)], [50, steady(10, 9)]);
    const strokes = trace.advance(140, 0, false);
    expect(strokes).toEqual([
      { kind: 'line', times: range(0, 140), values: [...steady(10), ...steady(5, 9)] },
    ]);
    expect(trace.takeRepaint()).toBe(false);
  });

  test('that come late take their own place and ask for one repaint', () => {
    const trace = traceWith([0, steady(5)], [100, steady(10)]);
    trace.advance(150, 0, false);
    trace.push(50, periodMs, steady(5, 2));
    expect(trace.takeRepaint()).toBe(true);
    expect(trace.takeRepaint()).toBe(false);
    trace.rewind(0);
    expect(gaps(trace.advance(150, 0, false))).toEqual([]);
  });

  test('that come late, but before the pen, ask for none', () => {
    const trace = traceWith([0, steady(5)], [100, steady(10)]);
    trace.advance(40, 0, false);
    trace.push(50, periodMs, steady(5));
    expect(trace.takeRepaint()).toBe(false);
  });

  test('have a bound: the oldest are forgotten', () => {
    const trace = new Trace();
    trace.push(0, 1, steady(samplesMax + 500));
    const strokes = trace.advance(samplesMax + 499, 0, false);
    expect(lineTimes(strokes)).toHaveLength(samplesMax);
    expect(gaps(strokes)).toEqual([[0, 500]]);
  });

  test('that are older than what can be seen are forgotten', () => {
    const trace = new Trace(2000);
    for (let start = 0; start < 60_000; start += 100) trace.push(start, periodMs, steady(10));
    const strokes = trace.advance(59_990, 0, false);
    const times = lineTimes(strokes);
    expect(times.length).toBeGreaterThanOrEqual(200);
    expect(times.length).toBeLessThanOrEqual(200 + 256 + 10);
  });

  test('without a period or a time are refused', () => {
    const trace = new Trace();
    trace.push(0, 0, [1]);
    trace.push(Number.NaN, 10, [1]);
    expect(trace.newestMs).toBeNull();
  });
});

function range(fromMs: number, toMs: number): number[] {
  return Array.from({ length: (toMs - fromMs) / periodMs + 1 }, (_, at) => fromMs + at * periodMs);
}
