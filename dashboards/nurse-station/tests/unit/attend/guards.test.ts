// The guards of the page: too slow, too many tabs, and the goodbye.

import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { leaveBody } from '../../../src/attend/leave';
import { Pace } from '../../../src/attend/pace';
import { Tabs } from '../../../src/attend/tabs';
import { LeaveWardsRequestSchema } from '../../../src/wire/gen/ecmo/v1/display_service_pb';

describe('the pace', () => {
  const run = (pace: Pace, from: number, until: number, every: number): void => {
    for (let at = from; at < until; at += every) pace.frame(at);
  };

  it('tells frames a second and the worst lag, over three seconds', () => {
    const pace = new Pace();
    run(pace, 0, 6_000, 33);
    expect(pace.framesPerSecond(6_000)).toBeCloseTo(30, 0);
    pace.picture(6_000, 80);
    pace.picture(6_100, 20);
    expect(pace.lagMs()).toBe(80);
    pace.picture(9_200, 20);
    expect(pace.lagMs(), 'what is older is forgotten').toBe(20);
  });

  it('is slow below ten frames a second for five seconds, and not before', () => {
    const pace = new Pace();
    run(pace, 0, 10_000, 33);
    run(pace, 10_000, 15_000, 125);
    expect(pace.isSlow(15_000)).toBe(false);
    run(pace, 15_000, 20_000, 125);
    expect(pace.isSlow(20_000)).toBe(true);
    run(pace, 20_000, 24_000, 33);
    expect(pace.isSlow(24_000)).toBe(false);
  });

  it('does not blame a page that was hidden', () => {
    const pace = new Pace();
    run(pace, 0, 3_000, 33);
    pace.restart(600_000);
    run(pace, 600_000, 601_500, 33);
    expect(pace.isSlow(601_500)).toBe(false);
  });
});

describe('the tabs of one browser', () => {
  it('let the third one rest, and only while two older ones are there', () => {
    const third = new Tabs('c', 30);
    expect(third.mustRest(0)).toBe(false);
    third.heard('a', 10, 0);
    third.heard('d', 40, 0);
    expect(third.mustRest(0)).toBe(false);
    third.heard('b', 20, 0);
    expect(third.mustRest(0)).toBe(true);
    third.left('a');
    expect(third.mustRest(0)).toBe(false);
    third.heard('a', 10, 1_000);
    expect(third.mustRest(1_000)).toBe(true);
    expect(third.mustRest(5_500), 'one that says nothing is gone').toBe(false);
  });

  it('agree which of two that were opened together goes first', () => {
    const [one, other] = [new Tabs('x', 10), new Tabs('y', 10)];
    for (const tabs of [one, other]) {
      tabs.heard('a', 5, 0);
      tabs.heard('x', 10, 0);
      tabs.heard('y', 10, 0);
    }
    expect([one.mustRest(0), other.mustRest(0)]).toEqual([false, true]);
  });
});

describe('the goodbye', () => {
  it('is the message of the contract in a frame', () => {
    const body = leaveBody('station-ä');
    expect([...body.slice(0, 5)]).toEqual([0, 0, 0, 0, body.length - 5]);
    expect(fromBinary(LeaveWardsRequestSchema, body.slice(5)).display).toBe('station-ä');
  });
});
