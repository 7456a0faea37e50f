// The clock of what flashes.
import { expect, test } from 'vitest';

import { flashes, isBright, untilChange } from '../../../src/shell/flash';

/** Changes from dark to bright in a second, over a minute. */
function hertz(which: 'high' | 'medium'): number {
  let [begins, before] = [0, isBright(which, 0)];
  for (let now = 1; now <= 60_000; now += 1) {
    const bright = isBright(which, now);
    if (bright && !before) begins += 1;
    before = bright;
  }
  return begins / 60;
}

test('high flashes at 1.4 to 2.8 Hz, and below three flashes a second', () => {
  expect(hertz('high')).toBeGreaterThanOrEqual(1.4);
  expect(hertz('high')).toBeLessThanOrEqual(2.8);
});

test('medium flashes at 0.4 to 0.8 Hz', () => {
  expect(hertz('medium')).toBeGreaterThanOrEqual(0.4);
  expect(hertz('medium')).toBeLessThanOrEqual(0.8);
});

test('both are bright for 20 to 60 % of the time', () => {
  for (const which of ['high', 'medium'] as const) {
    const { periodMs } = flashes[which];
    const bright = Array.from({ length: periodMs }, (_, now) => isBright(which, now)).filter(Boolean).length;
    expect(bright / periodMs).toBeGreaterThanOrEqual(0.2);
    expect(bright / periodMs).toBeLessThanOrEqual(0.6);
  }
});

test('the next change is where a phase changes, and never at once', () => {
  for (let now = 0; now < 5000; now += 13) {
    const then = now + untilChange(now);
    expect(then).toBeGreaterThan(now);
    const changes = (['high', 'medium'] as const).some(
      (which) => isBright(which, now) !== isBright(which, then),
    );
    expect(changes).toBe(true);
  }
});
