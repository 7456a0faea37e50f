// Which burst plays, and when it begins anew.
import { expect, test } from 'vitest';

import { burstNames, bursts, lengthMs, type BurstName } from '../../../src/sound/burst';
import { isSounding, next, type Playing, type Wanted } from '../../../src/sound/scheduler';

const playing = (name: BurstName, key = 'a', sinceMs = 1000): Playing => ({ name, key, sinceMs });
const wanted = (play: Wanted['play'], key = 'a'): Wanted => ({ play, key });

test('nothing wanted and nothing playing stays so', () => {
  expect(next(wanted('none'), null, 0)).toEqual({ kind: 'keep' });
});

test('a burst that is no longer wanted stops at once', () => {
  for (const name of burstNames) expect(next(wanted('none'), playing(name), 1010)).toEqual({ kind: 'stop' });
});

test('a burst that is wanted begins at once, whatever else plays', () => {
  for (const name of burstNames) {
    const start = { kind: 'start', name, key: 'b' };
    expect(next(wanted(name, 'b'), null, 5)).toEqual(start);
    for (const other of burstNames.filter((each) => each !== name)) {
      expect(next(wanted(name, 'b'), playing(other), 1010)).toEqual(start);
    }
  }
});

test('a burst that plays is not begun anew by the next picture', () => {
  for (const at of [1000, 1500, 9999, 55_000]) {
    expect(next(wanted('high'), playing('high'), at)).toEqual({ kind: 'keep' });
  }
});

test('a new call between two repeats is heard at once', () => {
  const between = 1000 + lengthMs(bursts.medium) + 1;
  expect(next(wanted('medium', 'b'), playing('medium', 'a'), between)).toEqual({
    kind: 'start',
    name: 'medium',
    key: 'b',
  });
});

test('a new call while the burst sounds does not break it off, and is heard with the same burst', () => {
  expect(next(wanted('high', 'b'), playing('high', 'a'), 1400)).toEqual({ kind: 'adopt', key: 'b' });
});

test('a burst sounds at the begin of each period and rests until the next', () => {
  const { periodMs } = bursts.high;
  for (const lap of [0, 1, 17]) {
    const begin = 1000 + lap * periodMs;
    expect(isSounding(playing('high'), begin)).toBe(true);
    expect(isSounding(playing('high'), begin + lengthMs(bursts.high) - 1)).toBe(true);
    expect(isSounding(playing('high'), begin + lengthMs(bursts.high))).toBe(false);
    expect(isSounding(playing('high'), begin + periodMs - 1)).toBe(false);
  }
});
