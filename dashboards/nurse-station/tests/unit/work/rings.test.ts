// Samples of waveforms: what is no measurement is none, and what is missing is not bridged.

import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { Validity } from '../../../src/wire/gen/ecmo/v1/frame_pb';
import { WaveformBlockSchema } from '../../../src/wire/gen/ecmo/v1/pump_service_pb';
import { Ring, samplesOf, stripOf } from '../../../src/work/rings';

describe('a block', () => {
  it('has no value where its samples are no measurement', () => {
    const block = create(WaveformBlockSchema, {
      startMonoNs: 5_000_000n,
      intervalNs: 10_000_000n,
      values: [1, 2, 3, 4],
      validity: [
        { validity: Validity.VALID, count: 1 },
        { validity: Validity.SENSOR_OFF, count: 2 },
        { validity: Validity.VALID, count: 1 },
      ],
    });
    expect(samplesOf(block)).toEqual({ startMs: 5, stepMs: 10, values: Float32Array.from([1, NaN, NaN, 4]) });
  });
});

describe('a ring', () => {
  const single = (...times: number[]): Ring => {
    const ring = new Ring();
    for (const at of times) ring.push(at, 0, Float32Array.of(at));
    return ring;
  };

  it('learns the time between single samples, and takes no gap for it', () => {
    expect(single(0).stepMs).toBe(0);
    expect(single(0, 100, 200).stepMs).toBe(100);
    expect(single(0, 100, 200, 2_200).stepMs).toBe(100);
  });

  it('keeps the newest samples only', () => {
    const ring = new Ring();
    for (let at = 0; at < 100; at += 1) ring.push(at * 1_000, 10, new Float32Array(100).fill(at));
    const kept = ring.since(0);
    expect(kept.length).toBe(6_000);
    expect(kept[0]?.timeMs).toBe(40_000);
  });

  it('is empty when another clock counts', () => {
    const ring = single(0, 100);
    ring.clear();
    expect(ring.since(-Infinity)).toEqual([]);
  });
});

describe('an event strip', () => {
  it('has steps of one length, and null where nothing was measured', () => {
    const ring = new Ring();
    ring.push(1_000, 10, Float32Array.of(1, 2, NaN));
    ring.push(1_050, 10, Float32Array.of(6, 7));
    const strip = stripOf('press.drain', ring, 990, 1_080, 5_000_000);
    expect(strip).toMatchObject({ stepMs: 10, startWallMs: 5_000_990 });
    expect(strip.values).toEqual([null, 1, 2, null, null, null, 6, 7, null]);
  });

  it('of a waveform that never came is empty', () => {
    expect(stripOf('x', undefined, 0, 50, 0).values).toEqual([null, null, null, null, null]);
  });
});
