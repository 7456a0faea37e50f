// Each row of the table of link states: what the screen is in, what it may say, and what is heard.

import { describe, expect, it } from 'vitest';

import type { Picture } from '../../../src/model/picture';
import { A, alarm, B, beat, change, Desk, ended, pump, pumps, snapshot, WALL_MS } from './messages';

/** Begins both streams of a link: its clock is `ahead` of the display's. */
function begin(of: Desk, at = 0, link = A, ahead = 10_000, epoch = 1n, alarms = [alarm('flow.low')]): void {
  of.screen.onAlarms(link, snapshot(at + ahead, alarms, epoch), at);
  of.screen.onWard(link, pumps(0, at + ahead, [pump(at + ahead)], epoch), at);
}

/** Everything on time, each 100 ms, from `from` on until `until`; answers the next numbers. */
class Feed {
  private sequence = 1;

  constructor(
    private readonly of: Desk,
    private readonly link = A,
    private readonly ahead = 10_000,
    private readonly epoch = 1n,
  ) {}

  /** Messages of these times, read `late` after they were made. */
  run(from: number, until: number, late = 0): void {
    for (let at = from; at < until; at += 100) this.one(at, at + late);
  }

  one(made: number, read: number): void {
    const now = made + this.ahead;
    this.of.screen.onAlarms(this.link, beat(this.sequence, now, this.epoch), read);
    this.of.screen.onWard(this.link, pumps(this.sequence, now, [pump(now)], this.epoch), read);
    this.sequence += 1;
  }
}

const tile = ({ tiles }: Picture): Picture['tiles'][number] => tiles[0]!;
const stateAt = (of: Desk, local: number): string => of.picture(local).link.state;

function live(): { of: Desk; feed: Feed } {
  const of = new Desk();
  begin(of);
  of.picture(0);
  return { of, feed: new Feed(of) };
}

describe('the link of the screen', () => {
  it('is CONNECTING until a snapshot, quiet for 10 s, then heard as lost', () => {
    const of = new Desk();
    expect(of.picture(0)).toMatchObject({
      link: { state: 'connecting' },
      sound: { play: 'none' },
      tiles: [],
    });
    expect(of.picture(9_900).sound.play).toBe('none');
    expect(of.picture(10_000).sound.play).toBe('lost');
    expect(of.picture(10_000).bar.quietPumps, '"no alarms" is not said').toBeNull();
  });

  it('is SYNCED with a snapshot on both streams', () => {
    const { of, feed } = live();
    feed.run(100, 3_000);
    const picture = of.picture(3_000);
    expect(picture.link).toMatchObject({
      state: 'synced',
      why: null,
      wallMs: expect.closeTo(WALL_MS + 13_000, -1) as number,
    });
    expect(tile(picture)).toMatchObject({ data: 'live', alarmsKnown: true });
    expect(picture.bar).toMatchObject({ pumps: 1, live: 1, withoutData: 0, quietPumps: 0 });
  });

  it('is TELEMETRY ONLY without alarms: every tile says so, and it is heard after a second', () => {
    const { of } = live();
    of.screen.onLost(A, 'alarms', 100);
    const picture = of.picture(100);
    expect(picture.link).toMatchObject({ state: 'telemetry-only', why: 'ended' });
    expect(tile(picture)).toMatchObject({ alarmsKnown: false, data: 'live' });
    expect(picture.alarms, 'kept, struck').toMatchObject([
      { unheard: true, lastKnown: true, canAcknowledge: false },
    ]);
    expect(picture.bar.quietPumps).toBeNull();
    const quiet = new Desk();
    begin(quiet, 0, A, 10_000, 1n, []);
    quiet.screen.onLost(A, 'alarms', 100);
    expect(quiet.picture(200).sound.play).toBe('none');
    expect(quiet.picture(1_250).sound.play).toBe('technical');
  });

  it('is ALARMS ONLY without pumps: values age until they are gone, and are never live', () => {
    const { of } = live();
    of.screen.onLost(A, 'pumps', 100);
    expect(tile(of.picture(100)).values[0]).toMatchObject({ state: 'late', value: 400 });
    expect(of.picture(100).link.state).toBe('alarms-only');
    for (let second = 1; second <= 3; second += 1) {
      of.screen.onAlarms(A, beat(second, 10_000 + second * 1_000), second * 1_000);
    }
    const picture = of.picture(3_100);
    expect(tile(picture)).toMatchObject({ data: 'unheard', pumpState: 'unknown', alarmsKnown: true });
    expect(tile(picture).values[0]).toMatchObject({ state: 'stale', value: null });
  });

  it('is LOST after 3 s without a word (a gateway that is frozen), with its time and its burst', () => {
    const { of, feed } = live();
    feed.run(100, 2_000);
    expect(stateAt(of, 3_500)).toBe('synced');
    expect(of.picture(4_100).link.state, 'behind').toBe('delayed');
    const picture = of.picture(4_950);
    expect(picture.link).toMatchObject({ state: 'lost', why: 'silent' });
    expect(picture.link.lostAtWallMs).not.toBeNull();
    expect(picture.sound.play).toBe('lost');
    expect(tile(picture)).toMatchObject({ data: 'unheard', alarmsKnown: false });
    expect(tile(picture).values[0]).toMatchObject({ state: 'stale', value: null });
    expect(picture.alarms, 'nothing disappears').toMatchObject([{ condition: 'flow.low', unheard: true }]);
    expect(picture.bar).toMatchObject({ live: 0, withoutData: 1, quietPumps: null });
  });

  it('is LOST at once with an error of both streams, and heard when it lasts for a second', () => {
    const { of } = live();
    of.screen.onLost(A, 'both', 100);
    expect(of.picture(100).link).toMatchObject({ state: 'lost', why: 'ended' });
    expect(of.picture(1_050).sound.play, 'what alarms goes on meanwhile').not.toBe('lost');
    expect(of.picture(1_150).sound.play).toBe('lost');
  });

  it('is heard once a minute when a person has acknowledged the loss, and anew at the next one', () => {
    const { of } = live();
    of.screen.onLost(A, 'both', 100);
    of.picture(1_200);
    of.board.acknowledgeLoss();
    expect(of.picture(1_300)).toMatchObject({
      link: { lossAcknowledged: true },
      sound: { play: 'lost-quiet' },
    });
    begin(of, 2_000);
    expect(of.picture(2_000).link).toMatchObject({
      state: 'synced',
      lossAcknowledged: false,
      lostAtWallMs: null,
    });
    of.screen.onLost(A, 'both', 2_100);
    of.picture(2_100);
    expect(of.picture(3_200).sound.play).toBe('lost');
  });

  it('is DELAYED by a backlog of 6 s, until messages are on time for 5 s', () => {
    const { of, feed } = live();
    feed.run(100, 1_000);
    feed.one(1_000, 7_000);
    const picture = of.picture(7_000);
    expect(picture.link.state, 'what is 6 s old is no word of now').toBe('lost');
    expect(tile(picture).values[0]).toMatchObject({ state: 'stale', value: null });
    feed.run(1_100, 5_000, 2_000);
    const late = of.picture(6_900 + 100);
    expect(late.link.state).toBe('delayed');
    expect(late.link.delayMs).toBeGreaterThan(1_900);
    expect(tile(late).values[0]?.state).not.toBe('live');
    expect(late.bar.quietPumps).toBeNull();
    feed.run(7_100, 12_000);
    for (let at = 7_100; at < 12_000; at += 250) expect(stateAt(of, at), String(at)).toBe('delayed');
    feed.run(12_000, 12_700);
    expect(stateAt(of, 12_650)).toBe('synced');
  });

  it('a low burst tells of a delay', () => {
    const of = new Desk();
    begin(of, 0, A, 10_000, 1n, []);
    new Feed(of).run(100, 3_000, 1_500);
    expect(of.picture(4_500)).toMatchObject({ link: { state: 'delayed' }, sound: { play: 'low' } });
  });

  it('is CHANGED for 10 s by a restart: the snapshot replaces everything, and a line tells of it', () => {
    const { of } = live();
    begin(of, 500, A, -400, 2n, [alarm('pump.stop')]);
    const picture = of.picture(500);
    expect(picture.link.state).toBe('changed');
    expect(picture.alarms.map(({ condition }) => condition)).toEqual(['pump.stop']);
    expect(tile(picture).data, 'its clock began anew').toBe('live');
    new Feed(of, A, -400, 2n).run(600, 11_000);
    expect(stateAt(of, 10_450)).toBe('changed');
    expect(stateAt(of, 10_550)).toBe('synced');
    const lines = of.board.historyOf(of.screen, aroundOf(), 10_550).lines;
    expect(lines.map(({ what }) => what)).toEqual(expect.arrayContaining(['gateway-changed', 'forgotten']));
  });

  it('is CHANGED by the other gateway too', () => {
    const of = new Desk(2);
    begin(of);
    of.picture(0);
    of.screen.onLost(A, 'both', 100);
    of.picture(100);
    begin(of, 600, B, 99_000);
    expect(of.picture(600)).toMatchObject({ link: { state: 'changed', gateway: 'g1' } });
    expect(tile(of.picture(600))).toMatchObject({ data: 'live', gateway: 'g1', alarmsKnown: true });
  });

  it('is a MISMATCH when the page is of another build, and nothing worse holds', () => {
    const { of } = live();
    const mismatch = { gateway: 'b', page: 'a' };
    expect(of.picture(0, { mismatch }).link).toMatchObject({ state: 'mismatch', mismatch });
    of.screen.onLost(A, 'both', 100);
    expect(of.picture(100, { mismatch }).link).toMatchObject({ state: 'lost', mismatch });
  });

  it('withdraws everything at a gap in the numbers, until the next snapshot', () => {
    const { of } = live();
    of.screen.onAlarms(A, beat(2, 10_100), 100);
    const picture = of.picture(100);
    expect(picture.link).toMatchObject({ state: 'lost', why: 'gap' });
    expect(tile(picture).values[0]).toMatchObject({ state: 'stale', value: null });
    expect(of.screen.needsResubscribe(A).alarms).toBe('gap');
    of.screen.onAlarms(A, beat(3, 10_200), 200);
    expect(stateAt(of, 200)).toBe('lost');
    begin(of, 300);
    expect(stateAt(of, 300)).toBe('synced');
  });

  it('takes pumps of a newer start for the end of the alarms', () => {
    const { of } = live();
    of.screen.onWard(A, pumps(0, 5, [pump(5)], 2n), 50);
    expect(of.picture(50).link).toMatchObject({ state: 'lost', why: 'epoch' });
    of.screen.onAlarms(A, snapshot(60, [], 2n), 105);
    expect(stateAt(of, 105)).toBe('changed');
  });
});

describe('wall clocks', () => {
  it('decide nothing: one that is set back by an hour changes only what it says', () => {
    const { of, feed } = live();
    feed.run(100, 2_000);
    const hour = 3_600_000;
    of.screen.onAlarms(A, beat(20, 12_000, 1n, WALL_MS + 12_000 - hour), 2_000);
    of.screen.onWard(A, pumps(20, 12_000, [pump(12_000)]), 2_000);
    const picture = of.picture(2_100, { ownWallMs: WALL_MS + 12_100 });
    expect(picture.link).toMatchObject({
      state: 'synced',
      ownClockOffMs: expect.closeTo(hour, -2) as number,
    });
    expect(tile(picture).values[0]).toMatchObject({ state: 'live', value: 400 });
    expect(tile(of.picture(5_200)).values[0], 'and a number does not stay').toMatchObject({
      state: 'stale',
      value: null,
    });
    expect(of.picture(5_200, { ownWallMs: 0 }).link.state).toBe('lost');
  });

  it('that agree within 5 s are not told', () => {
    const { of, feed } = live();
    feed.run(100, 1_000);
    expect(of.picture(1_000, { ownWallMs: WALL_MS + 11_000 + 4_000 }).link.ownClockOffMs).toBeNull();
  });
});

describe('what sounds', () => {
  const sound = (of: Desk, at: number): [string, string] => {
    const { play, key } = of.picture(at).sound;
    return [play, key];
  };

  it('is the most urgent alarm only, begun anew by what is new or worse', () => {
    const of = new Desk();
    begin(of, 0, A, 10_000, 1n, []);
    expect(sound(of, 0)[0]).toBe('none');
    of.screen.onAlarms(A, change(1, 10_010, alarm('flow.low')), 10);
    const [play, key] = sound(of, 10);
    expect(play).toBe('high');
    of.screen.onAlarms(A, change(2, 10_020, alarm('flow.low', 2)), 20);
    expect(sound(of, 20), 'nothing new').toEqual(['high', key]);
    of.screen.onAlarms(A, change(3, 10_030, alarm('pump.stop')), 30);
    const second = sound(of, 30);
    expect(second[0]).toBe('high');
    expect(second[1]).not.toBe(key);
    of.screen.onAlarms(A, change(4, 10_040, ended(alarm('pump.stop'))), 40);
    expect(sound(of, 40), 'one that ends begins nothing').toEqual(second);
    of.screen.onAlarms(A, change(5, 10_050, alarm('flow.low', 3, 2)), 50);
    expect(sound(of, 50)[1]).not.toBe(second[1]);
  });

  it('goes on after a reconnection, unless it was acknowledged', () => {
    const { of } = live();
    of.screen.onLost(A, 'both', 100);
    of.picture(100);
    begin(of, 500);
    expect(of.picture(500).sound.play).toBe('high');
  });
});

function aroundOf(): Parameters<Desk['board']['historyOf']>[1] {
  return { ownWallMs: WALL_MS, name: (link) => `g${String(link)}`, other: null, mismatch: null, notices: [] };
}
