// A hundred random walks through everything that can go wrong: whatever happens, what is unknown never looks fine.

import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { agedPicture } from '../../../src/model/aged';
import type { Picture, Value } from '../../../src/model/picture';
import { type Alarm, AlarmSchema } from '../../../src/wire/gen/ecmo/v1/alarm_pb';
import type { WatchAlarmsResponse } from '../../../src/wire/gen/ecmo/v1/alarm_service_pb';
import { Validity } from '../../../src/wire/gen/ecmo/v1/frame_pb';
import { LinkState } from '../../../src/wire/gen/ecmo/v1/pump_pb';
import type { WatchWardResponse } from '../../../src/wire/gen/ecmo/v1/pump_service_pb';
import {
  A,
  acknowledged,
  alarm,
  beat,
  change,
  Desk,
  ended,
  ns,
  pump,
  pumps,
  reading,
  snapshot,
  WALL_MS,
} from './messages';

const CONDITIONS = ['pump.stop', 'flow.low', 'press.drain.low', 'comm.stale'];

/** Step of the walk in ms; shortest way of a message. */
const STEP = 50;
const WAY = 4;

/** Reproducible numbers of 0 to 1. */
function randomOf(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

type Wire =
  | { lane: 'alarms'; message: WatchAlarmsResponse; made: number; holds: Map<string, Alarm> | null }
  | {
      lane: 'pumps';
      message: WatchWardResponse;
      made: number;
      sampled: number;
      value: number;
      valid: boolean;
    };

/** One gateway with one pump, the way to the display, and what is really so. */
class World {
  readonly desk = new Desk();
  now = 0;
  /** What the display must not have lost: alarms of delivered messages. */
  held = new Map<string, Alarm>();
  /** When the newest message that had its place was made. */
  newest: Record<'alarms' | 'pumps', number> = { alarms: -Infinity, pumps: -Infinity };
  open: Record<'alarms' | 'pumps', boolean> = { alarms: false, pumps: false };
  /** True time and value of the newest sample that was delivered, and whether it is a measurement. */
  sample: { at: number; value: number; valid: boolean } | null = null;
  private readonly alarms = new Map<string, Alarm>();
  private way: Wire[] = [];
  private sequence = { alarms: 0, pumps: 0 };
  private epoch = 1n;
  private startedAt = -5_000;
  private wall = WALL_MS;
  private frozenUntil = 0;
  private stalledUntil = 0;
  private silentUntil = 0;
  private sensorOffUntil = 0;
  private broken: Record<'alarms' | 'pumps', boolean> = { alarms: true, pumps: true };
  /** The number that has its place next on each stream; null while nothing has. */
  private expected: Record<'alarms' | 'pumps', bigint | null> = { alarms: null, pumps: null };

  constructor(private readonly random: () => number) {}

  step(): void {
    this.now += STEP;
    this.happen();
    if (this.now >= this.frozenUntil) this.make();
    if (this.now >= this.stalledUntil) this.deliver();
    this.ask();
    this.reopen();
  }

  private gatewayNow(): number {
    return this.now - this.startedAt;
  }

  private chance(perSecond: number): boolean {
    return this.random() < (perSecond * STEP) / 1_000;
  }

  private for(most: number): number {
    return this.now + this.random() * most;
  }

  private happen(): void {
    if (this.chance(0.05)) this.frozenUntil = this.for(8_000);
    if (this.chance(0.08)) this.stalledUntil = this.for(8_000);
    if (this.chance(0.08)) this.silentUntil = this.for(6_000);
    if (this.chance(0.08)) this.sensorOffUntil = this.for(6_000);
    if (this.chance(0.05)) this.cut('alarms');
    if (this.chance(0.05)) this.cut('pumps');
    if (this.chance(0.05)) this.lose();
    if (this.chance(0.02)) this.restart();
    if (this.chance(0.05)) this.wall += this.random() < 0.5 ? -3_600_000 : 3_600_000;
    if (this.chance(0.6)) this.alarmHappens();
  }

  private cut(lane: 'alarms' | 'pumps'): void {
    this.way = this.way.filter((wire) => wire.lane !== lane);
    this.desk.screen.onLost(A, lane, this.now);
    this.open[lane] = false;
    this.broken[lane] = true;
    this.expected[lane] = null;
  }

  /** A message vanishes: everything after it on that stream is of no use. */
  private lose(): void {
    const at = Math.floor(this.random() * this.way.length);
    const [gone] = this.way.splice(at, 1);
    if (gone !== undefined) this.broken[gone.lane] = true;
  }

  private restart(): void {
    this.cut('alarms');
    this.cut('pumps');
    this.epoch += 1n;
    this.startedAt = this.now - 1;
  }

  private alarmHappens(): void {
    const name = CONDITIONS[Math.floor(this.random() * CONDITIONS.length)] ?? '';
    const before = this.alarms.get(name);
    const next = this.changed(name, before);
    if (next.present) this.alarms.set(name, next);
    else this.alarms.delete(name);
    if (this.open.alarms && !this.broken.alarms) {
      const message = change(this.next('alarms'), this.gatewayNow(), next, this.epoch);
      this.way.push({ lane: 'alarms', message, made: this.now, holds: new Map(this.alarms) });
    }
  }

  private changed(name: string, before: Alarm | undefined): Alarm {
    if (before === undefined) return alarm(name, 1, 1, { occurrence: `${name}/${String(this.now)}` });
    const choice = this.random();
    if (choice < 0.4) return ended(before);
    if (choice < 0.7) return acknowledged(before, 'Mia');
    const fresh = alarm(name, before.revision + 1, before.call + 1, { occurrence: before.occurrence });
    return create(AlarmSchema, fresh);
  }

  private next(lane: 'alarms' | 'pumps'): number {
    this.sequence[lane] += 1;
    return this.sequence[lane];
  }

  private make(): void {
    const isSecond = Math.floor(this.now / 1_000) !== Math.floor((this.now - STEP) / 1_000);
    if (isSecond && this.open.alarms && !this.broken.alarms) {
      const wall = this.wall + this.now;
      const message = beat(this.next('alarms'), this.gatewayNow(), this.epoch, wall);
      this.way.push({ lane: 'alarms', message, made: this.now, holds: null });
    }
    if (this.now % 100 === 0 && this.open.pumps && !this.broken.pumps) this.makePumps(this.next('pumps'));
  }

  private makePumps(sequence: number): void {
    const isSilent = this.now < this.silentUntil;
    const silentFor = isSilent ? 1_000 : 0;
    const sampled = Math.max(0, this.gatewayNow() - silentFor);
    const value = 100 + Math.floor(this.random() * 500);
    const valid = this.now >= this.sensorOffUntil;
    const base = {
      ...reading(sampled, 'flow.blood', value),
      validity: valid ? Validity.VALID : Validity.SENSOR_OFF,
    };
    const one = pump(sampled, { readings: [base], link: isSilent ? LinkState.SILENT : LinkState.LIVE });
    const message = pumps(sequence, this.gatewayNow(), [one], this.epoch);
    const at = this.now - (this.gatewayNow() - sampled);
    this.way.push({ lane: 'pumps', message, made: this.now, sampled: at, value, valid: valid && !isSilent });
  }

  private deliver(): void {
    const ready = this.way.filter(({ made }) => made + WAY <= this.now);
    this.way = this.way.filter((wire) => !ready.includes(wire));
    for (const wire of ready) {
      if (!this.open[wire.lane]) continue;
      if (wire.lane === 'alarms') this.takeAlarms(wire);
      else this.takePumps(wire);
    }
  }

  private takeAlarms({ message, made, holds }: Extract<Wire, { lane: 'alarms' }>): void {
    this.desk.screen.onAlarms(A, message, this.now);
    if (!this.hasPlace('alarms', message.sequence)) return;
    this.newest.alarms = Math.max(this.newest.alarms, made);
    if (holds !== null) this.held = holds;
  }

  private takePumps({ message, made, sampled, value, valid }: Extract<Wire, { lane: 'pumps' }>): void {
    this.desk.screen.onWard(A, message, this.now);
    if (!this.hasPlace('pumps', message.sequence)) return;
    this.newest.pumps = Math.max(this.newest.pumps, made);
    this.sample = { at: sampled, value, valid };
  }

  /** The lease is renewed: the answer tells how late everything from there can be. */
  private ask(): void {
    if (this.now < this.frozenUntil || this.now < this.stalledUntil) return;
    const made = Math.max(0, this.gatewayNow() - WAY);
    this.desk.screen.onAnswer(A, this.epoch, ns(made), this.now - 2 * WAY, this.now);
  }

  private hasPlace(lane: 'alarms' | 'pumps', sequence: bigint): boolean {
    const has = sequence === 0n || sequence === this.expected[lane];
    this.expected[lane] = has ? sequence + 1n : null;
    return has;
  }

  /** The display subscribes anew, after a while, when it must and the gateway answers. */
  private reopen(): void {
    if (this.now < this.frozenUntil || this.now < this.stalledUntil || !this.chance(2)) return;
    const { alarms, pumps: lane } = this.desk.screen.needsResubscribe(A);
    if (alarms !== null || this.broken.alarms) this.begin('alarms');
    if (lane !== null || this.broken.pumps) this.begin('pumps');
  }

  private begin(lane: 'alarms' | 'pumps'): void {
    this.way = this.way.filter((wire) => wire.lane !== lane);
    this.open[lane] = true;
    this.broken[lane] = false;
    this.sequence[lane] = 0;
    if (lane === 'pumps') this.makePumps(0);
    else {
      const message = snapshot(this.gatewayNow(), [...this.alarms.values()], this.epoch);
      this.way.push({ lane, message, made: this.now, holds: new Map(this.alarms) });
    }
  }
}

/** As `expect`, for a million times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Everything that must hold of a picture, by what is really so. */
function judge(world: World, picture: Picture, waited: number): void {
  const at = world.now + waited;
  // A clock is told to within the shortest way of a message, and drift.
  const slack = 60 + 0.001 * at;
  const isSilent = at - world.newest.alarms > 3_000 + slack;
  const isWhole = ['synced', 'changed', 'mismatch'].includes(picture.link.state);
  must(!isSilent || !isWhole, 'a gateway that is silent is no link');
  must(isWhole || picture.bar.quietPumps === null, '"no alarms" is said of nothing');
  for (const tile of picture.tiles) {
    must(!isSilent || !tile.alarmsKnown, 'alarms are not known');
    const isFresh = at - world.newest.pumps <= 1_500 + slack;
    must(tile.data !== 'live' || isFresh, 'a pump that is live was heard of');
    for (const value of tile.values) judgeValue(world, value, at, waited, slack);
  }
  // No line disappears but by the gateway's word.
  const shown = new Map(picture.alarms.map((row) => [row.occurrence, row]));
  for (const [condition, held] of world.held) {
    const row = shown.get(held.occurrence);
    must(row !== undefined, `${condition} is there`);
    must(row?.ackBy === held.acknowledgedBy, 'no acknowledgement but by the gateway');
    must(!isSilent || row?.canAcknowledge === false, 'nothing is acknowledged at a gateway that is silent');
  }
  const calls = [...world.held.values()].some(({ acknowledgedBy }) => acknowledgedBy === '');
  must(!calls || picture.sound.play !== 'none', 'what calls is heard');
}

function judgeValue(world: World, value: Value, at: number, waited: number, slack: number): void {
  const isNumber = value.state === 'live' || value.state === 'late';
  must((value.value === null) === !isNumber, 'a number is shown while it is one of now');
  if (!isNumber) return;
  const { sample } = world;
  must(sample?.valid === true && value.value === sample.value, 'it is what was measured');
  const age = at - (sample?.at ?? -Infinity);
  must(
    age <= (value.state === 'live' ? Math.min(500 + waited, 1_500) : 3_000) + slack,
    'it is no older than it looks',
  );
  must((value.ageMs ?? -1) >= age - slack, 'its age is told');
}

describe('whatever happens', () => {
  it('what is unknown never looks fine, in a hundred walks of a minute and a half', () => {
    const seen = new Map<string, number>();
    for (let seed = 1; seed <= 100; seed += 1) {
      const world = new World(randomOf(seed));
      for (let step = 0; step < 1_800; step += 1) {
        world.step();
        if (step % 5 !== 0) continue;
        const picture = world.desk.picture(world.now);
        seen.set(picture.link.state, (seen.get(picture.link.state) ?? 0) + 1);
        judge(world, picture, 0);
        // The page shows it later than the worker made it.
        for (const waited of [900, 1_600, 3_500]) judge(world, agedPicture(picture, waited), waited);
      }
    }
    // A walk that never gets anywhere proves nothing.
    for (const state of ['synced', 'lost', 'delayed', 'changed', 'alarms-only', 'telemetry-only']) {
      expect(seen.get(state), state).toBeGreaterThan(100);
    }
  }, 120_000);
});
