// Each row of the table of value states: what is shown, and that an old number never is.

import { describe, expect, it } from 'vitest';

import type { Tile, Value } from '../../../src/model/picture';
import { valueOf } from '../../../src/model/value';
import { Validity } from '../../../src/wire/gen/ecmo/v1/frame_pb';
import { LinkState, PumpState } from '../../../src/wire/gen/ecmo/v1/pump_pb';
import { A, beat, Desk, ns, pump, pumps, reading, snapshot } from './messages';

type More = Parameters<typeof pump>[1];

/** A gateway whose clock is at 10,000 when the display's is at 0, with one pump of that time. */
function desk(more: More = {}, sampledMs = 10_000): Desk {
  const made = new Desk();
  made.screen.onAlarms(A, snapshot(10_000, []), 0);
  made.screen.onWard(A, pumps(0, 10_000, [pump(sampledMs, more)]), 0);
  return made;
}

function tileAt(of: Desk, local: number): Tile {
  const [tile] = of.picture(local).tiles;
  if (tile === undefined) throw new Error('no tile');
  return tile;
}

const flowAt = (of: Desk, local: number): Value => valueOf(tileAt(of, local), 'flow.blood');

describe('a value', () => {
  it('is LIVE, then LATE with its age, then STALE without a number', () => {
    const of = desk();
    for (const [at, state, value] of [
      [0, 'live', 400],
      [499, 'live', 400],
      [510, 'late', 400],
      [2_990, 'late', 400],
      [3_010, 'stale', null],
      [60_000, 'stale', null],
    ] as const) {
      const flow = flowAt(of, at);
      expect([flow.state, flow.value], `at ${String(at)} ms`).toEqual([state, value]);
      // Two clocks may drift apart by so much.
      expect(flow.ageMs ?? 0).toBeGreaterThanOrEqual(at * 0.999);
    }
  });

  it('is withdrawn at the age that the site has set', () => {
    const of = desk();
    of.screen.staleMs = 2_000;
    expect(flowAt(of, 1_990)).toMatchObject({ state: 'late', value: 400 });
    expect(flowAt(of, 2_010)).toMatchObject({ state: 'stale', value: null });
    expect(of.picture(0).staleMs).toBe(2_000);
  });

  it('keeps what was last measured for the detail view only, always with its age', () => {
    expect(flowAt(desk(), 5_000).last).toEqual({ value: 400, ageMs: expect.closeTo(5_000, -1) as number });
  });

  it('of a channel that brings one sample a second is live for longer, never for more than 1.5 s', () => {
    const of = desk();
    for (let second = 1; second <= 6; second += 1) {
      const now = 10_000 + second * 1_000;
      of.screen.onAlarms(A, beat(second, now), second * 1_000);
      const told = pumps(second, now, [pump(now)]);
      of.screen.onWard(A, told, second * 1_000);
      of.board.rhythm.note(
        'nicu/p1',
        told.update.case === 'pumps' ? (told.update.value.pumps[0]?.readings ?? []) : [],
      );
    }
    expect(flowAt(of, 7_400).state).toBe('live');
    expect(flowAt(of, 7_600).state).toBe('late');
  });

  it('of a slow channel is late with its age between two samples, and stale when the next one does not come', () => {
    const of = desk();
    const feed = (second: number, sampledMs: number): void => {
      const now = 10_000 + second * 1_000;
      of.screen.onAlarms(A, beat(second, now), second * 1_000);
      const readings = [reading(sampledMs, 'battery.charge', 97)];
      of.screen.onWard(A, pumps(second, now, [pump(now, { readings })]), second * 1_000);
      of.board.rhythm.note('nicu/p1', pump(now, { readings }).readings);
    };
    for (let second = 1; second <= 29; second += 1) feed(second, 10_000 + Math.floor(second / 5) * 5_000);
    expect(valueOf(tileAt(of, 29_000), 'battery.charge').state).toBe('late');
    for (let second = 30; second <= 36; second += 1) feed(second, 35_000);
    expect(valueOf(tileAt(of, 36_000), 'battery.charge')).toMatchObject({ state: 'stale', value: null });
  });

  it('that a device doubts, a sensor that is off and a number that is none are INVALID, with the reason', () => {
    for (const [validity, value, reason] of [
      [Validity.QUESTIONABLE, 300, 'questionable'],
      [Validity.SENSOR_OFF, undefined, 'sensor-off'],
      [Validity.UNSPECIFIED, 300, 'sensor-fault'],
      [Validity.CALIBRATING, undefined, 'calibrating'],
      [Validity.VALID, NaN, null],
      [99 as Validity, 300, 'sensor-fault'],
    ] as const) {
      const base = { parameter: 'flow.blood', unit: 'mL/min', validity, sampledMonoNs: ns(10_000) };
      const readings = [value === undefined ? base : { ...base, value }];
      const flow = flowAt(desk({ readings }), 0);
      expect([flow.state, flow.value, flow.reason]).toEqual(['invalid', null, reason]);
    }
  });

  it('that is no measurement and old is STALE: also that it is none is not known any more', () => {
    const readings = [{ parameter: 'flow.blood', validity: Validity.SENSOR_OFF, sampledMonoNs: ns(10_000) }];
    expect(flowAt(desk({ readings }), 3_100)).toMatchObject({ state: 'stale', reason: null });
  });

  it('that the pump does not deliver is NOT FITTED', () => {
    expect(valueOf(tileAt(desk(), 0), 'pt.spo2')).toMatchObject({ state: 'not-fitted', value: null });
  });

  it('of a pump without a frame since the gateway started is NEVER SEEN', () => {
    const never = new Desk();
    const unseen = pump(0, { link: LinkState.NEVER_SEEN, readings: [] });
    delete unseen.lastFrameMonoNs;
    never.screen.onAlarms(A, snapshot(10_000, []), 0);
    never.screen.onWard(A, pumps(0, 10_000, [unseen]), 0);
    expect(valueOf(tileAt(never, 0), 'flow.blood').state).toBe('never-seen');
    expect(tileAt(never, 700)).toMatchObject({ data: 'never-seen' });
    expect(tileAt(never, 2_000).waitingMs).toBeGreaterThanOrEqual(2_000);
  });

  it('of flow and speed is STANDBY where the pump has not run, and never when it is old', () => {
    const standby = desk({ state: PumpState.STANDBY });
    expect(flowAt(standby, 0).state).toBe('standby');
    expect(flowAt(standby, 600).state).toBe('late');
    expect(flowAt(standby, 3_100).state).toBe('stale');
    expect(tileAt(standby, 3_100).pumpState).toBe('unknown');
  });

  it('whose age nothing proves is LATE at best', () => {
    expect(flowAt(desk({ ageUnproven: true }), 0).state).toBe('late');
    expect(tileAt(desk({ ageUnproven: true }), 0).data).toBe('late');
  });

  it('of a silent or stopped pump is STALE, however new its sample looks', () => {
    for (const link of [LinkState.SILENT, LinkState.STOPPED, LinkState.UNSPECIFIED, 99 as LinkState]) {
      expect(flowAt(desk({ link }), 0)).toMatchObject({ state: 'stale', value: null });
    }
  });

  it('that lies ahead of its gateway has age zero and no more', () => {
    expect(flowAt(desk({}, 11_000), 0)).toMatchObject({ state: 'live', ageMs: 0 });
  });
});

describe('limits', () => {
  it('are unknown until the treatment of the version is known by which the pump is judged', () => {
    const of = desk({ treatmentVersion: 3n });
    const limit = {
      rule: 'flow.low',
      condition: 'flow.low',
      parameter: 'flow.blood',
      side: 'below' as const,
    };
    const numbers = {
      number: 300,
      numberUnit: 'mL/min',
      isSet: true,
      profileNumber: 280,
      limit: 300,
      unit: 'mL/min',
    };
    const rest = { settableLow: null, settableHigh: null, priority: 'high' as const, delayMs: 5_000 };
    const treatment = {
      ...{ ward: 'nicu', pump: 'p1', case: null, contexts: [], changes: [], gaps: [], shelved: [] },
      ...{ profile: null, durable: true },
      limits: [
        { ...limit, ...numbers, ...rest },
        { ...limit, ...numbers, ...rest, rule: 'flow.low#2', limit: 180 },
      ],
    };
    expect(tileAt(of, 0)).toMatchObject({ limitsKnown: false });
    of.board.setTreatment({ ...treatment, version: 2 }, 0);
    expect(flowAt(of, 0).low).toBeNull();
    of.board.setTreatment({ ...treatment, version: 3 }, 0);
    expect(flowAt(of, 0).low, 'the one that is crossed first').toMatchObject({ value: 300, changed: true });
    expect(flowAt(of, 0).high).toBeNull();
  });
});
