// Two gateways, one row: what is shown of two words about the same alarm, and what a lost or restarted gateway leaves.

import { describe, expect, it } from 'vitest';

import { Screen } from '../../../src/model/screen';
import { sounds } from '../../../src/model/row';
import { create } from '@bufbuild/protobuf';
import { type Alarm, AlarmSchema, SignalPresence } from '../../../src/wire/gen/ecmo/v1/alarm_pb';
import { A, acknowledged, alarm, B, beat, change, ended, pump, pumps, rows, snapshot } from './messages';

const told = (screen: Screen): string[] => screen.takeChanges().map(({ what }) => what);

function both(a: Alarm[], b: Alarm[]): Screen {
  const screen = new Screen(2, '');
  screen.onAlarms(A, snapshot(0, a), 0);
  screen.onAlarms(B, snapshot(0, b), 0);
  return screen;
}

describe('rows of two gateways', () => {
  it('join the same alarm, and tell it once', () => {
    const screen = both([], []);
    screen.onAlarms(A, change(1, 5, alarm('pump.stop')), 5);
    screen.onAlarms(B, change(1, 7, alarm('pump.stop')), 7);
    expect(rows(screen)).toEqual([['pump.stop', true, false]]);
    expect(screen.rows()[0]?.told.length).toBe(2);
    expect(told(screen)).toEqual(['new']);
    const end = ended(alarm('pump.stop'));
    screen.onAlarms(A, change(2, 9, end), 9);
    expect(rows(screen).length, 'the other gateway still holds it').toBe(1);
    screen.onAlarms(B, change(2, 9, end), 10);
    expect([rows(screen).length, told(screen)]).toEqual([0, ['ended']]);
  });

  it('count an acknowledgement at one gateway for the calls that it covers', () => {
    const first = alarm('pump.stop');
    const screen = both([acknowledged(first, 'Mia')], [first]);
    expect(rows(screen)).toEqual([['pump.stop', false, false]]);
    expect(screen.rows()[0]?.alarm.acknowledgedBy).toBe('Mia');
    // It got worse, and only the other gateway has said so yet.
    screen.onAlarms(B, change(1, 5, alarm('pump.stop', 2, 2)), 5);
    expect(sounds(screen.rows()[0]!)).toBe(true);
    // A gateway itself is believed about its own acknowledgements, also when it does not count calls.
    const alone = new Screen(1, '');
    const old = alarm('pump.stop', 1, 0);
    alone.onAlarms(A, snapshot(0, [acknowledged(old, 'Mia')]), 0);
    alone.onAlarms(A, change(1, 5, alarm('pump.stop', 3, 0)), 5);
    expect(rows(alone)).toEqual([['pump.stop', true, false]]);
  });

  it('keep conditions of the gateways themselves apart', () => {
    const own = (name: string): Alarm =>
      alarm('gateway.overload', 1, 1, { occurrence: `/@${name}/x`, pump: '', ward: '', gateway: name });
    expect(rows(both([own('a')], [own('b')])).length).toBe(2);
  });

  it('lose nothing with a gateway, and end by the word of one that is heard', () => {
    const [known, alone] = [alarm('pump.stop'), alarm('flow.low')];
    const screen = both([known, alone], [known]);
    told(screen);
    screen.onLost(A, 'both', 10);
    expect(rows(screen)).toEqual([
      ['flow.low', true, true],
      ['pump.stop', true, false],
    ]);
    expect(told(screen), 'the loss of a link is no change of an alarm').toEqual([]);
    screen.onAlarms(B, change(1, 20, ended(known)), 20);
    expect(rows(screen)).toEqual([['flow.low', true, true]]);
    screen.onAlarms(A, snapshot(30, []), 30);
    expect(rows(screen)).toEqual([]);
  });

  it('are forgotten and not ended where a restarted gateway does not name them', () => {
    const screen = new Screen(1, '');
    screen.onAlarms(A, snapshot(0, [alarm('pump.stop')]), 0);
    told(screen);
    screen.onAlarms(A, snapshot(0, [], 2n), 10);
    expect(told(screen)).toEqual(['forgotten']);
    screen.onAlarms(A, snapshot(20, [alarm('pump.stop')], 2n), 20);
    screen.onAlarms(A, snapshot(30, [], 2n), 30);
    expect(told(screen)).toEqual(['new', 'ended-unseen']);
  });

  it('show an alarm of another ward while it is sent here', () => {
    const screen = new Screen(1, 'icu');
    screen.onAlarms(A, snapshot(0, [alarm('flow.low')]), 0);
    expect(rows(screen)).toEqual([]);
    screen.onAlarms(A, change(1, 2, alarm('pump.stop', 1, 1, { redirected: true })), 2);
    expect(screen.rows()[0]?.alarm.redirected).toBe(true);
    screen.onAlarms(A, change(2, 3, alarm('pump.stop', 2, 1)), 3);
    expect(rows(screen), 'its own ward has it again').toEqual([]);
  });

  it('are counted when there are more than can be kept', () => {
    const many = Array.from({ length: 4_097 }, (_, at) =>
      alarm(String(at), 1, 1, { occurrence: String(at) }),
    );
    const screen = new Screen(1, '');
    screen.onAlarms(A, snapshot(0, many), 0);
    expect([screen.rows().length, screen.links[0]?.unlisted]).toEqual([4_096, 1]);
    screen.onAlarms(A, beat(1, 900), 900);
    expect(screen.links[0]?.unlisted, 'it is said until the next snapshot').toBe(1);
  });
});

/** Both held the alarm, one gateway was killed, the other told that it ended, and the first goes on from what it had kept. */
function restored(kept: Alarm): Screen {
  const first = alarm('pump.stop');
  const screen = both([first], [first]);
  screen.onLost(A, 'both', 10);
  screen.onAlarms(B, change(1, 20, ended(first)), 20);
  expect(told(screen)).toEqual(['new', 'ended']);
  screen.onAlarms(A, snapshot(5, [kept], 2n), 1_000);
  return screen;
}

describe('a gateway that was started anew', () => {
  it('does not bring back what has ended and it had only kept', () => {
    const screen = restored(alarm('pump.stop', 2, 1, { lastKnown: true }));
    expect([rows(screen).length, told(screen)]).toEqual([0, []]);
    screen.onAlarms(A, change(1, 500, alarm('pump.stop', 3, 1), 2n), 1_500);
    expect([rows(screen).length, told(screen)]).toEqual([0, []]);
    screen.onAlarms(A, change(2, 900, ended(alarm('pump.stop', 3, 1)), 2n), 1_900);
    expect([rows(screen).length, told(screen)]).toEqual([0, []]);
  });

  it('shows what a lost gateway had told the end of only once it has judged it', () => {
    const screen = restored(alarm('pump.stop', 2, 1, { lastKnown: true }));
    screen.onLost(B, 'both', 1_100);
    expect(rows(screen)).toEqual([]);
    screen.onAlarms(A, change(1, 500, alarm('pump.stop', 3, 1), 2n), 1_500);
    expect(rows(screen)).toEqual([['pump.stop', true, false]]);
  });

  it('does not bring back what ended elsewhere under another name, and shows what began after that', () => {
    const at = (occurrence: string, onsetMs: number): Alarm =>
      alarm('pump.stop', 1, 1, { occurrence, onsetMonoNs: BigInt(onsetMs) * 1_000_000n });
    const came = (kept: Alarm): [string, boolean, boolean][] => {
      const screen = both([at('ours', 500)], []);
      screen.onLost(A, 'both', 1_100);
      screen.onAlarms(B, change(1, 1_200, at('theirs', 900)), 1_200);
      screen.onAlarms(B, change(2, 2_000, ended(at('theirs', 900))), 2_000);
      screen.onLost(B, 'both', 2_100);
      screen.onAlarms(A, snapshot(3_000, [create(AlarmSchema, { ...kept, lastKnown: true })], 2n), 3_000);
      return rows(screen);
    };
    expect(came(at('ours', 500))).toEqual([]);
    expect(came(at('new', 2_500))).toEqual([['pump.stop', true, false]]);
  });

  it('shows what it newly raises or calls for again', () => {
    const kept = alarm('pump.stop', 2, 1);
    const again = restored(kept);
    again.onAlarms(A, change(1, 500, alarm('pump.stop', 3, 2), 2n), 1_500);
    expect(rows(again)).toEqual([['pump.stop', true, false]]);
    const other = restored(kept);
    other.onAlarms(A, change(1, 500, create(AlarmSchema, { ...kept, occurrence: 'another' }), 2n), 1_500);
    expect(rows(other)).toEqual([['pump.stop', true, false]]);
  });

  it('shows what it had kept when nobody is heard who ended it, and when it stays', () => {
    const kept = alarm('pump.stop', 2, 1);
    const alone = restored(kept);
    alone.onLost(B, 'both', 1_100);
    expect(rows(alone)).toEqual([['pump.stop', true, false]]);
    const screen = restored(kept);
    for (let second = 1; second <= 15; second += 1) {
      const [now, local] = [second * 1_000, 1_000 + second * 1_000];
      expect(rows(screen).length, String(second)).toBe(0);
      screen.onAlarms(B, beat(second + 1, 1_000 + now), local);
      screen.onAlarms(A, beat(second, now + 5, 2n), local);
    }
    expect(rows(screen)).toEqual([['pump.stop', true, false]]);
  });
});

describe('a gateway whose place another one took', () => {
  const moved = (sampledMs: number | null): Screen => {
    const screen = new Screen(2, '');
    screen.onAlarms(
      A,
      snapshot(0, [alarm('pump.stop'), alarm('comm.broker', 1, 1, { occurrence: 'o', pump: '' })]),
      0,
    );
    screen.onLost(A, 'both', 10);
    screen.onAlarms(B, snapshot(0, []), 20);
    screen.onWard(B, pumps(0, 0, sampledMs === null ? [] : [pump(sampledMs)]), 20);
    expect(rows(screen).length, 'nothing is gone at once').toBe(2);
    return screen;
  };

  it('leaves the judgement of a pump that is live there, and its own conditions', () => {
    const screen = moved(0);
    screen.abandon(A, B);
    expect(rows(screen)).toEqual([]);
    expect(told(screen)).toContain('forgotten');
  });

  it('keeps what is about a pump that is not known there', () => {
    const screen = moved(null);
    screen.abandon(A, B);
    expect(rows(screen)).toEqual([['pump.stop', true, true]]);
  });

  it('keeps everything while the other one is not heard', () => {
    const screen = moved(0);
    screen.onLost(B, 'both', 30);
    screen.abandon(A, B);
    expect(rows(screen).length).toBe(2);
  });

  it('tells the other gateway until when everything was seen, by its wall clock', () => {
    const screen = new Screen(2, '');
    expect(screen.seenUntil(B)).toBeNull();
    screen.onAlarms(A, snapshot(0, []), 0);
    screen.onAlarms(A, beat(1, 1_000), 1_000);
    expect(screen.seenUntil(B)).toEqual({
      epoch: 1n,
      monoNs: 1_000_000_000n,
      wallNs: 1_700_000_001_000_000_000n,
    });
  });
});

describe('a row', () => {
  const calls = (screen: Screen): number | undefined => screen.rows()[0]?.calls;

  it('calls anew when it comes back or signals again, and not by the name or number of another gateway', () => {
    const screen = both([alarm('pump.stop')], []);
    expect(calls(screen)).toBe(1);
    const other = { occurrence: 'other' };
    screen.onAlarms(B, change(1, 5, alarm('pump.stop', 4, 7, other)), 5);
    screen.onLost(A, 'both', 10);
    expect([rows(screen).length, calls(screen)]).toEqual([1, 1]);
    const gone = { ...other, present: false, signal: SignalPresence.LATCHED };
    screen.onAlarms(B, change(2, 15, alarm('pump.stop', 5, 7, gone)), 15);
    expect(calls(screen)).toBe(1);
    screen.onAlarms(B, change(3, 20, alarm('pump.stop', 6, 8, other)), 20);
    expect(calls(screen)).toBe(2);
    // What came back while nobody listened was present before and is now.
    screen.onAlarms(B, change(4, 25, alarm('pump.stop', 9, 9, other)), 25);
    expect(calls(screen)).toBe(3);
    screen.onAlarms(B, change(5, 30, acknowledged(alarm('pump.stop', 10, 9, other), 'Mia')), 30);
    expect(calls(screen)).toBe(3);
    screen.onAlarms(B, change(6, 35, alarm('pump.stop', 12, 10, other)), 35);
    expect(calls(screen)).toBe(4);
  });

  it('that a gateway had ended itself is shown again only once it has judged it', () => {
    const first = alarm('pump.stop');
    const screen = new Screen(1, '');
    screen.onAlarms(A, snapshot(0, [first]), 0);
    screen.onAlarms(A, change(1, 900, ended(first)), 900);
    screen.onAlarms(A, snapshot(5, [alarm('pump.stop', 2, 1, { lastKnown: true })], 2n), 1_500);
    expect(rows(screen).length).toBe(0);
    screen.onAlarms(A, change(1, 300, alarm('pump.stop', 3, 1), 2n), 1_800);
    expect(rows(screen)).toEqual([['pump.stop', true, false]]);
  });
});
