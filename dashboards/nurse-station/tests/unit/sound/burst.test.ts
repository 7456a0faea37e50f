// The bursts by the timings of the reference.
import { describe, expect, test } from 'vitest';

import {
  bursts,
  burstNames,
  harmonicsDb,
  lengthMs,
  risePart,
  type BurstName,
} from '../../../src/sound/burst';
import { floors, gainOf, holdVolumes, usualVolumes } from '../../../src/sound/volume';

/** Pauses between the pulses of a burst, in ms. */
function pauses(name: BurstName): number[] {
  const { pulses } = bursts[name];
  return pulses.slice(1).map((pulse, at) => pulse.atMs - (pulses[at]!.atMs + pulses[at]!.lengthMs));
}

/** Pulses of a burst, in groups that a longer pause parts. */
function groups(name: BurstName, pauseMs: number): number[] {
  const counts = [1];
  for (const pause of pauses(name)) {
    if (pause > pauseMs) counts.push(1);
    else counts.push(counts.pop()! + 1);
  }
  return counts;
}

describe('the high burst', () => {
  test('is 3 + 2 pulses, twice', () => {
    expect(groups('high', 125)).toEqual([3, 2, 3, 2]);
  });

  test('has pulses of 75 to 200 ms, 50 to 125 ms apart within a group', () => {
    for (const pulse of bursts.high.pulses) {
      expect(pulse.lengthMs).toBeGreaterThanOrEqual(75);
      expect(pulse.lengthMs).toBeLessThanOrEqual(200);
    }
    for (const at of [0, 1, 3, 5, 6, 8]) {
      expect(pauses('high')[at]).toBeGreaterThanOrEqual(50);
      expect(pauses('high')[at]).toBeLessThanOrEqual(125);
    }
  });

  test('leaves 0.35 to 1.30 s between its fives', () => {
    expect(pauses('high')[4]).toBeGreaterThanOrEqual(350);
    expect(pauses('high')[4]).toBeLessThanOrEqual(1300);
  });

  test('comes again 2.5 to 15 s after it ended', () => {
    const rest = bursts.high.periodMs - lengthMs(bursts.high);
    expect(rest).toBeGreaterThanOrEqual(2500);
    expect(rest).toBeLessThanOrEqual(15_000);
  });
});

describe.each(['medium', 'technical'] as const)('the %s burst', (name) => {
  test('is 3 pulses of 125 to 250 ms, as far apart, again within 30 s', () => {
    expect(bursts[name].pulses).toHaveLength(3);
    for (const time of [...pauses(name), ...bursts[name].pulses.map((pulse) => pulse.lengthMs)]) {
      expect(time).toBeGreaterThanOrEqual(125);
      expect(time).toBeLessThanOrEqual(250);
    }
    const rest = bursts[name].periodMs - lengthMs(bursts[name]);
    expect(rest).toBeGreaterThanOrEqual(2500);
    expect(rest).toBeLessThanOrEqual(30_000);
  });
});

test('the low burst is one pulse, more than 15 s apart', () => {
  expect(bursts.low.pulses).toHaveLength(1);
  expect(bursts.low.periodMs - lengthMs(bursts.low)).toBeGreaterThan(15_000);
});

test('the burst of a lost gateway has two tones, and no other burst has its tones', () => {
  const tones = (name: BurstName): number[] => [...new Set(bursts[name].pulses.map((pulse) => pulse.pitch))];
  expect(tones('lost')).toHaveLength(2);
  for (const name of ['high', 'medium', 'technical', 'low'] as const) {
    expect(tones(name).filter((pitch) => tones('lost').includes(pitch))).toEqual([]);
  }
  expect(bursts['lost-quiet'].periodMs).toBe(60_000);
});

test('every pulse has its fundamental within 150 to 1000 Hz, and four harmonics within 300 to 4500 Hz and 15 dB', () => {
  for (const name of burstNames) {
    for (const { pitch } of bursts[name].pulses) {
      expect(pitch).toBeGreaterThanOrEqual(150);
      expect(pitch).toBeLessThanOrEqual(1000);
      // A fundamental above 300 Hz is one of the four that lie in the range.
      const inRange = harmonicsDb.filter((_, at) => pitch * (at + 1) >= 300 && pitch * (at + 1) <= 4000);
      expect(inRange.length, name).toBeGreaterThanOrEqual(4);
    }
  }
  expect(Math.max(...harmonicsDb) - Math.min(...harmonicsDb)).toBeLessThanOrEqual(15);
});

test('a pulse rises within 10 to 20 % of its length', () => {
  expect(risePart).toBeGreaterThanOrEqual(0.1);
  expect(risePart).toBeLessThanOrEqual(0.2);
});

describe('the volume', () => {
  test('of a high alarm and of a lost gateway has a floor that no setting goes below', () => {
    for (const high of [0, -1, 0.3, Number.NaN, Number.NEGATIVE_INFINITY]) {
      const volumes = { high, medium: 0, low: 0 };
      expect(gainOf('high', volumes)).toBeGreaterThanOrEqual(floors.high);
      expect(gainOf('lost', volumes)).toBeGreaterThanOrEqual(floors.high);
    }
  });

  test('of no burst is nothing', () => {
    for (const name of burstNames) expect(gainOf(name, { high: 0, medium: 0, low: 0 })).toBeGreaterThan(0);
  });

  test('of a lower priority is never above that of a higher one', () => {
    const held = holdVolumes({ high: 0.5, medium: 1, low: 1 });
    expect(held).toEqual({ high: 0.5, medium: 0.5, low: 0.5 });
    expect(gainOf('low', usualVolumes)).toBeLessThanOrEqual(gainOf('medium', usualVolumes));
    expect(gainOf('medium', usualVolumes)).toBeLessThanOrEqual(gainOf('high', usualVolumes));
  });
});
