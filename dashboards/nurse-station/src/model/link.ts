// One link: what one gateway says, and how much of it is known now.

import type { Alarm } from '../wire/gen/ecmo/v1/alarm_pb';
import type { Pump } from '../wire/gen/ecmo/v1/pump_pb';
import { Bounded } from './bounded';
import { ms } from './clock';
import { LATE_AFTER_MS, LOST_AFTER_MS, Lane } from './lane';
import type { LinkWhy } from './picture';
import { isActive, signals } from './row';

/** Most occurrences kept of one gateway: 64 pumps with 64 conditions each. What is beyond is counted and told. */
export const OCCURRENCES_MAX = 64 * 64;

/** Most pumps kept of one gateway. */
const PUMPS_MAX = 256;

/** A gateway that was started anew goes on from what it had kept, and learns within this what has ended meanwhile. */
const RESTORES_FOR_MS = 15_000;

/** Most drills that wait to be confirmed; when full the oldest goes, and the gateway tells that it was missed. */
const DRILLS_MAX = 16;

export type Known = 'connecting' | 'live' | 'late' | 'lost';

export interface Shown {
  occurrence: string;
  revision: number;
}

interface Held {
  key: string;
  alarm: Alarm;
}

export class Link {
  readonly alarms = new Lane();
  readonly pumps = new Lane();
  /** When its newest message of alarms came. */
  lastWord = 0;
  /** Alarms that were too many to keep. */
  unlisted = 0;
  readonly acknowledged = new Bounded<string, { call: number; by: string; note: string }>(OCCURRENCES_MAX);
  /** What ended here lately: the call at which it did, and when. */
  readonly ended = new Bounded<string, { call: number; at: number }>(OCCURRENCES_MAX);
  readonly endedRows = new Bounded<string, number>(OCCURRENCES_MAX);
  /** When the gateway was first heard after it had started anew. */
  restartedAt: number | null = null;
  /** By "WARD/PUMP". */
  readonly byPump = new Map<string, Pump>();
  /** When the alarm thread last finished a round, gateway ms. */
  alarmRound = 0;
  /** Wall time of the newest heartbeat in ms since 1970, and the gateway time of it in ms. */
  heartbeat: { wallNs: bigint; at: number } | null = null;
  /** Epoch and time of the newest message of the alarm stream that was painted. */
  painted: { epoch: bigint; newestNs: bigint } | null = null;
  drills: Shown[] = [];
  private readonly active = new Map<string, Held>();
  private readonly byRow = new Map<string, string[]>();
  private readonly toConfirm = new Map<string, number>();
  private readonly confirmed = new Map<string, number>();

  state(local: number): Known {
    if (this.alarms.epoch === null) return 'connecting';
    if (this.why(local) !== null) return 'lost';
    const silence = this.alarms.silence(local);
    return silence !== null && silence <= LATE_AFTER_MS ? 'live' : 'late';
  }

  /** What it says of alarms may be shown as it is now. */
  isKnown(local: number): boolean {
    const state = this.state(local);
    return state === 'live' || state === 'late';
  }

  /** Why its alarms are not known; null while they are. */
  why(local: number): LinkWhy | null {
    const stream = this.alarms.broken(local);
    if (stream !== null) return stream;
    // Pumps of a newer start than the alarms: these are of a gateway that is no more.
    const restarted = this.pumps.broken(local) === null && this.pumps.epoch !== this.alarms.epoch;
    return restarted ? 'epoch' : null;
  }

  /** The word about its pumps holds now. Where the alarms' subscription alone has ended, it goes on. */
  pumpsKnown(local: number): boolean {
    return this.oneStart() && this.pumps.broken(local) === null;
  }

  /** Its values may age on, although nothing new comes: nothing is missing before them and the gateway is the same. */
  pumpsAge(): boolean {
    const cut = this.pumps.cut();
    return (
      this.pumps.epoch !== null && this.oneStart() && (cut === null || cut === 'ended' || cut === 'silent')
    );
  }

  private oneStart(): boolean {
    const cut = this.alarms.cut();
    if (cut === null) return this.alarms.epoch === this.pumps.epoch;
    return cut === 'never' || cut === 'ended' || cut === 'silent';
  }

  /** For how long it has been lost. */
  lostFor(local: number): number | null {
    if (this.state(local) !== 'lost') return null;
    if (this.alarms.lostAt !== null) return local - this.alarms.lostAt;
    const silence = this.alarms.silence(local);
    return silence === null ? null : Math.max(0, silence - LOST_AFTER_MS);
  }

  /** For how long yet it is held for a gateway that goes on from what it had kept; null when it is not. */
  restores(local: number): number | null {
    if (this.restartedAt === null) return null;
    const left = RESTORES_FOR_MS - (local - this.restartedAt);
    return left > 0 ? left : null;
  }

  holds(occurrence: string): boolean {
    return this.active.has(occurrence);
  }

  /** Both subscriptions of one start of the gateway have one clock: the faster message serves both. */
  shareClock(nowMonoNs: bigint, local: number, begins: boolean): void {
    if (this.alarms.epoch === null || this.alarms.epoch !== this.pumps.epoch) return;
    if (begins) {
      this.alarms.clock = this.alarms.clock.joined(this.pumps.clock, local);
      this.pumps.clock = this.alarms.clock.joined(this.alarms.clock, local);
    }
    this.alarms.clock.observe(ms(nowMonoNs), local);
    this.pumps.clock.observe(ms(nowMonoNs), local);
  }

  /** What it holds of a row. */
  ofRow(key: string): Alarm[] {
    const held = (this.byRow.get(key) ?? []).map((occurrence) => this.active.get(occurrence)?.alarm);
    return held.filter((alarm) => alarm !== undefined);
  }

  rows(): string[] {
    return [...this.byRow.keys()];
  }

  /** Keeps a revision; false when what is known is as new. */
  keep(alarm: Alarm, key: string, local: number): boolean {
    const known = this.active.get(alarm.occurrence);
    if (known !== undefined && known.alarm.revision >= alarm.revision) return false;
    if (isActive(alarm)) {
      this.noteAcknowledged(alarm);
      this.insert(key, alarm);
    } else {
      this.noteEnded(alarm, key, local);
      this.remove(alarm.occurrence);
    }
    return true;
  }

  noteEnded(alarm: Alarm, key: string, local: number): void {
    this.noteAcknowledged(alarm);
    this.ended.put(alarm.occurrence, { call: alarm.call, at: local });
    this.endedRows.put(key, local);
  }

  /** Takes the place of everything that was known. */
  replace(alarms: Held[]): void {
    this.active.clear();
    this.byRow.clear();
    this.unlisted = 0;
    for (const { key, alarm } of alarms) {
      this.noteAcknowledged(alarm);
      this.insert(key, alarm);
    }
    // Whoever listens now may not know what was confirmed before: everything is confirmed once more when painted.
    this.toConfirm.clear();
    this.confirmed.clear();
    this.drills = [];
  }

  remove(occurrence: string): void {
    this.toConfirm.delete(occurrence);
    this.confirmed.delete(occurrence);
    const held = this.active.get(occurrence);
    if (held === undefined) return;
    this.active.delete(occurrence);
    const left = (this.byRow.get(held.key) ?? []).filter((one) => one !== occurrence);
    if (left.length === 0) this.byRow.delete(held.key);
    else this.byRow.set(held.key, left);
  }

  /** Keeps pumps: all of them, or those that changed. */
  keepPumps(pumps: Pump[], all: boolean): void {
    if (all) this.byPump.clear();
    for (const pump of pumps) {
      const name = `${pump.ward}/${pump.pump}`;
      if (this.byPump.size < PUMPS_MAX || this.byPump.has(name)) this.byPump.set(name, pump);
    }
  }

  /** A drill came: to be confirmed with the next picture, and never shown. */
  drill(shown: Shown): void {
    if (this.drills.length >= DRILLS_MAX) this.drills.shift();
    this.drills.push(shown);
  }

  paintedAlarm(occurrence: string, revision: number): void {
    const isNewer = (known: Map<string, number>): boolean => (known.get(occurrence) ?? -1) < revision;
    // What has ended meanwhile needs no confirmation.
    if (this.active.has(occurrence) && isNewer(this.confirmed) && isNewer(this.toConfirm)) {
      this.toConfirm.set(occurrence, revision);
    }
  }

  paintedDrills(count: number): void {
    for (const drill of this.drills.splice(0, count)) this.toConfirm.set(drill.occurrence, drill.revision);
  }

  /** What was painted and is to be confirmed; it counts as confirmed from now on. */
  takeConfirmations(): Shown[] {
    const taken = [...this.toConfirm].map(([occurrence, revision]) => ({ occurrence, revision }));
    for (const { occurrence, revision } of taken) {
      // A drill is in no list that ends: it is not remembered.
      if (this.active.has(occurrence)) this.confirmed.set(occurrence, revision);
    }
    this.toConfirm.clear();
    return taken;
  }

  /** These could not be confirmed, or did not count: they are tried again. */
  putBack(shown: Shown[]): void {
    for (const { occurrence, revision } of shown) {
      if (this.confirmed.get(occurrence) !== revision) continue;
      this.confirmed.delete(occurrence);
      this.paintedAlarm(occurrence, revision);
    }
  }

  private insert(key: string, alarm: Alarm): void {
    if (this.active.size >= OCCURRENCES_MAX && !this.active.has(alarm.occurrence)) {
      this.unlisted += 1;
      return;
    }
    const ofRow = this.byRow.get(key) ?? [];
    if (!ofRow.includes(alarm.occurrence)) ofRow.push(alarm.occurrence);
    this.byRow.set(key, ofRow);
    this.active.set(alarm.occurrence, { key, alarm });
  }

  private noteAcknowledged(alarm: Alarm): void {
    if (signals(alarm) || alarm.acknowledgedBy === '') return;
    const known = this.acknowledged.get(alarm.occurrence);
    if (known !== undefined && known.call > alarm.call) return;
    const { call, acknowledgedBy: by, acknowledgedNote: note } = alarm;
    this.acknowledged.put(alarm.occurrence, { call, by, note });
  }
}
