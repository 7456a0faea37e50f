// A picture that waited for its paint: older by as long as that, and after 3 s nothing is known.

import { describe, expect, it } from 'vitest';

import { agedPicture } from '../../../src/model/aged';
import type { Picture } from '../../../src/model/picture';
import { A, alarm, Desk, pump, pumps, snapshot } from './messages';

function picture(at = 0, sampledMs = 10_000): Picture {
  const of = new Desk();
  of.screen.onAlarms(A, snapshot(10_000, [alarm('flow.low')]), 0);
  of.screen.onWard(A, pumps(0, 10_000, [pump(sampledMs)]), 0);
  return of.picture(at);
}

const flow = (of: Picture): Picture['tiles'][number]['values'][number] => of.tiles[0]!.values[0]!;

describe('a picture that waited', () => {
  it('for no longer than pictures do is as it was', () => {
    const of = picture();
    expect(agedPicture(of, 400)).toBe(of);
  });

  it('for less than a second loses what passes a bound by it', () => {
    const of = picture(0, 7_500);
    expect(flow(of)).toMatchObject({ state: 'late', value: 400 });
    const late = agedPicture(of, 600);
    expect(flow(late)).toMatchObject({ state: 'stale', value: null });
    expect(late.tiles[0]).toMatchObject({ data: 'stale' });
    expect(flow(agedPicture(picture(1_000), 600))).toMatchObject({ state: 'late', value: 400 });
    expect(agedPicture(picture(1_000), 600).bar).toMatchObject({ live: 0, withoutData: 0 });
  });

  it('for more than a second is DELAYED: nothing is live, and "no alarms" is not said', () => {
    const late = agedPicture(picture(), 1_200);
    expect(late.link).toMatchObject({ state: 'delayed', delayMs: 1_200 });
    expect(flow(late)).toMatchObject({ state: 'late', value: 400 });
    expect(late.bar).toMatchObject({ live: 0, quietPumps: null });
    expect(late.tiles[0]).toMatchObject({ data: 'late', alarmsKnown: true });
  });

  it('for so long that the gateway would be lost is LOST', () => {
    const lost = agedPicture(picture(2_500), 700);
    expect(lost.link.state).toBe('lost');
  });

  it('for more than three seconds shows nothing of now: the worker is lost, and that is heard', () => {
    const lost = agedPicture(picture(), 3_100);
    expect(lost.link).toMatchObject({ state: 'lost', why: 'worker' });
    expect(flow(lost)).toMatchObject({ state: 'stale', value: null });
    expect(lost.tiles[0]).toMatchObject({ data: 'unheard', alarmsKnown: false, pumpState: 'unknown' });
    expect(lost.alarms, 'nothing disappears').toMatchObject([
      { condition: 'flow.low', unheard: true, lastKnown: true, canAcknowledge: false },
    ]);
    expect(lost.tiles[0]?.alarms).toMatchObject([{ unheard: true }]);
    expect(lost.sound.play).toBe('lost');
    expect(lost.bar).toMatchObject({ live: 0, withoutData: 1, quietPumps: null });
    expect(lost.local.map(({ kind }) => kind)).toContain('worker-lost');
  });
});
