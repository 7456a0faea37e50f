// What is confirmed: what was painted, to every gateway that told it, and nothing else.

import { describe, expect, it } from 'vitest';

import type { Shown } from '../../../src/model/link';
import { Screen } from '../../../src/model/screen';
import { A, alarm, B, beat, change, ended, message, snapshot } from './messages';

const shown = (condition: string, revision: number): Shown => ({
  occurrence: `nicu/p1/${condition}/1-1`,
  revision,
});
const take = (screen: Screen, link = A): Shown[] => screen.links[link]?.takeConfirmations() ?? [];
const paint = (screen: Screen): Shown[] => {
  screen.painted(screen.marks(), () => true);
  return take(screen);
};

describe('confirmations', () => {
  it('are of what was painted, to every gateway that told it', () => {
    const screen = new Screen(2, '');
    screen.onAlarms(A, snapshot(0, [alarm('pump.stop'), alarm('flow.low')]), 0);
    screen.onAlarms(B, snapshot(0, [alarm('pump.stop', 4, 1)]), 0);
    expect(take(screen)).toEqual([]);
    const marks = screen.marks();
    // It changes while the picture is painted: the newer revision was not shown.
    screen.onAlarms(A, change(1, 5, alarm('pump.stop', 2, 2)), 5);
    screen.painted(marks, (key) => key.includes('pump.stop'));
    expect(take(screen)).toEqual([shown('pump.stop', 1)]);
    expect(take(screen, B)).toEqual([shown('pump.stop', 4)]);
    expect(screen.links[A]?.painted?.newestNs, 'not as far as what came since').toBe(0n);
    screen.painted(screen.marks(), () => true);
    expect(take(screen)).toEqual(expect.arrayContaining([shown('flow.low', 1), shown('pump.stop', 2)]));
    expect(take(screen, B)).toEqual([]);
    expect(screen.links[A]?.painted?.newestNs).toBe(5_000_000n);
  });

  it('are sent again where they did not count, and all of them after a new subscription', () => {
    const screen = new Screen(1, '');
    screen.onAlarms(A, snapshot(0, [alarm('pump.stop')]), 0);
    const sent = paint(screen);
    expect([sent, paint(screen)]).toEqual([[shown('pump.stop', 1)], []]);
    screen.links[A]?.putBack(sent);
    expect(take(screen)).toEqual([shown('pump.stop', 1)]);
    screen.onAlarms(A, snapshot(10, [alarm('pump.stop')]), 10);
    expect(paint(screen)).toEqual([shown('pump.stop', 1)]);
    // What is only last known is no news to anybody.
    screen.onAlarms(A, snapshot(20, [alarm('pump.stop')]), 20);
    screen.onLost(A, 'both', 21);
    expect(paint(screen)).toEqual([]);
  });

  it('prove nothing of another start of the gateway', () => {
    const screen = new Screen(1, '');
    screen.onAlarms(A, snapshot(9_000, [alarm('pump.stop')]), 0);
    const marks = screen.marks();
    screen.onAlarms(A, snapshot(5, [], 2n), 10);
    screen.painted(marks, () => true);
    expect(screen.links[A]?.painted).toBeNull();
  });

  it('answer a drill with the next picture, and never show it', () => {
    const screen = new Screen(1, '');
    screen.onAlarms(A, snapshot(0, []), 0);
    const drill = { occurrence: '_drill/g/x/1-1', revision: 1 };
    screen.onAlarms(A, message(1, 5, { case: 'drill', value: drill }), 5);
    expect([screen.rows().length, take(screen).length]).toEqual([0, 0]);
    screen.painted(screen.marks(), () => false);
    expect(take(screen)).toEqual([drill].map(({ occurrence, revision }) => ({ occurrence, revision })));
    expect([take(screen).length, screen.missed.length]).toEqual([0, 0]);
  });
});

describe('what was missed', () => {
  it('came and went without being painted', () => {
    const screen = new Screen(1, '');
    screen.onAlarms(A, snapshot(0, [alarm('flow.low')]), 0);
    screen.painted(screen.marks(), () => true);
    // Between two pictures.
    screen.onAlarms(A, change(1, 5, alarm('pump.stop')), 5);
    screen.onAlarms(A, change(2, 6, ended(alarm('pump.stop'))), 6);
    screen.onAlarms(A, beat(3, 7), 7);
    screen.onLost(A, 'both', 8);
    // While nobody listened; and what was seen comes back worse, and goes.
    const gone = [ended(alarm('press.high')), ended(alarm('flow.low', 4, 2))];
    screen.onAlarms(A, snapshot(50, [], 1n, gone), 50);
    expect(screen.missed.map((one) => [one.alarm.condition, one.unheard])).toEqual([
      ['press.high', true],
      ['flow.low', true],
      ['pump.stop', false],
    ]);
    screen.forgetMissed();
    expect(screen.missed).toEqual([]);
  });
});
