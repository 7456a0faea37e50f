// The gateway's clock as a display tells it: what waited looks as old as it is.

import { describe, expect, it } from 'vitest';

import { GatewayClock } from '../../../src/model/clock';
import { Lane } from '../../../src/model/lane';

describe('the clock of a gateway', () => {
  it('is not known before the first message', () => {
    expect(new GatewayClock().now(5)).toBeNull();
    expect(new GatewayClock().delay(5)).toBeNull();
  });

  it('shows a message that waited as old as it is', () => {
    const clock = new GatewayClock();
    clock.observe(1_000, 50);
    clock.observe(2_000, 1_051);
    expect(clock.delay(1_051)).toBeLessThan(1.6);
    clock.observe(3_000, 8_050);
    expect(clock.delay(8_050)).toBeGreaterThan(5_990);
    expect(clock.delay(8_050)).toBeLessThanOrEqual(6_000);
  });

  it('is corrected at once by a faster message', () => {
    const clock = new GatewayClock();
    clock.observe(1_000, 3_000);
    clock.observe(3_000, 3_001);
    expect(clock.now(3_001)).toBe(3_000);
    expect(clock.now(13_001)).toBeGreaterThan(12_994);
    expect(clock.now(13_001)).toBeLessThanOrEqual(13_000);
  });

  it('goes on without messages', () => {
    const clock = new GatewayClock();
    clock.observe(1_000, 0);
    expect(clock.delay(60_000)).toBeGreaterThanOrEqual(59_900);
  });

  it('never takes a queue that stays long for minutes for a short one', () => {
    const clock = new GatewayClock();
    clock.observe(0, 10);
    for (let second = 1; second <= 300; second += 1) clock.observe(second * 1_000, second * 1_000 + 6_000);
    expect(clock.waited(300_000, 306_000)).toBeGreaterThan(5_800);
  });

  it('tells a way that was slow from the first message on by a question and its answer', () => {
    const clock = new GatewayClock();
    clock.observe(1_000, 3_000);
    expect(clock.delay(3_000)).toBe(0);
    clock.answered(3_010, 3_000, 3_020);
    const age = (clock.now(3_020) ?? 0) - 1_000;
    expect(age).toBeGreaterThanOrEqual(2_010);
    expect(age).toBeLessThanOrEqual(2_040);
  });

  it('counts the greater age when its two bounds contradict each other', () => {
    const clock = new GatewayClock();
    clock.observe(1_000, 3_000);
    clock.answered(9_000, 3_000, 3_001);
    expect(clock.now(3_001)).toBeGreaterThanOrEqual(9_000);
  });
});

describe('a subscription', () => {
  it.each([
    { of: 2n, least: 2_490, most: 2_520 },
    { of: 7n, least: 0, most: 20 },
  ])('that an answer of start $of overtook', ({ of, least, most }) => {
    const lane = new Lane();
    const ns = (value: number): bigint => BigInt(value) * 1_000_000n;
    lane.take({ sequence: 0n, epoch: 1n, nowMonoNs: ns(900) }, 50);
    lane.answered(of, ns(3_500), 101, 102);
    lane.take({ sequence: 0n, epoch: 2n, nowMonoNs: ns(1_000) }, 103);
    const age = (lane.clock.now(103) ?? 0) - 1_000;
    expect(age).toBeGreaterThanOrEqual(least);
    expect(age).toBeLessThanOrEqual(most);
  });
});
