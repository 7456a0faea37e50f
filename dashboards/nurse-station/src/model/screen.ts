// The screen: takes what the gateways say, and knows at any time what may be shown and what must be confirmed.

import type { Alarm } from '../wire/gen/ecmo/v1/alarm_pb';
import type { AlarmSnapshot, SeenUntil, WatchAlarmsResponse } from '../wire/gen/ecmo/v1/alarm_service_pb';
import { LinkState } from '../wire/gen/ecmo/v1/pump_pb';
import type { WatchWardResponse, WaveformUpdate } from '../wire/gen/ecmo/v1/pump_service_pb';
import { Bounded } from './bounded';
import { ms } from './clock';
import { VALUE_SHOWN_MAX_MS } from './freshness';
import { Link, OCCURRENCES_MAX } from './link';
import { mergedRow } from './merge';
import { type Cause, changeOf } from './news';
import { isBetter, pumpView, type PumpView } from './pump';
import type { LinkWhy } from './picture';
import { byUrgency, callsOf, type Change, isActive, isOwn, type Missed, type Row, rowKey } from './row';

/** Most missed alarms kept; as many as a gateway remembers. */
const MISSED_MAX = 1_024;

/** Most changes that wait to be taken; beyond it the oldest go. */
const CHANGES_MAX = 4_096;

/** How far each link had come in a picture: what may be said of it once it was painted. */
export interface Marks {
  rows: Row[];
  links: { epoch: bigint | null; newestNs: bigint; drills: number }[];
}

export class Screen {
  readonly links: Link[];
  missed: Missed[] = [];
  missedIncomplete = false;
  changesLost = 0;
  /** A value that is older is not shown, in ms; the site's choice. */
  staleMs = VALUE_SHOWN_MAX_MS;
  private now = 0;
  private readonly byKey = new Map<string, Row>();
  private known = '';
  /** Occurrences that were painted, with the greatest call that was. */
  private readonly seen = new Bounded<string, number>(2 * OCCURRENCES_MAX);
  private changes: Change[] = [];

  /** A display of one ward, or of all (empty), with so many links. */
  constructor(
    links: number,
    private readonly ward: string,
  ) {
    this.links = Array.from({ length: links }, () => new Link());
  }

  /** One more gateway has become known. */
  addLink(): void {
    this.links.push(new Link());
  }

  onAlarms(id: number, message: WatchAlarmsResponse, local: number): void {
    this.advance(local);
    const link = this.links[id];
    if (link === undefined) return;
    const before = link.alarms.epoch;
    const place = link.alarms.take(message, local);
    if (before !== link.alarms.epoch) {
      link.heartbeat = null;
      link.restartedAt = before === null ? null : local;
    }
    if (place !== 'useless') {
      link.lastWord = local;
      link.shareClock(message.nowMonoNs, local, place === 'first');
      const { update } = message;
      if (update.case === 'snapshot') this.takeSnapshot(id, update.value, before === message.epoch);
      // A subscription that does not begin with everything tells nothing.
      else if (place === 'first') link.alarms.lose('gap', local);
      else if (update.case === 'alarm') this.takeRevision(id, update.value);
      else if (update.case === 'heartbeat') {
        link.heartbeat = { wallNs: update.value.wallNs, at: ms(message.nowMonoNs) };
      } else if (update.case === 'drill') link.drill(update.value);
      // Else a newer gateway's kind of message: it proves life and nothing more.
    }
    this.settle();
  }

  /** Takes a message of the stream of a ward; the waveform in it is returned, when the message has its place. */
  onWard(id: number, message: WatchWardResponse, local: number): WaveformUpdate | null {
    this.advance(local);
    const link = this.links[id];
    if (link === undefined) return null;
    const place = link.pumps.take(message, local);
    if (place !== 'useless') {
      link.shareClock(message.nowMonoNs, local, place === 'first');
      link.alarmRound = ms(message.alarmThreadMonoNs);
      const { update } = message;
      if (update.case === 'pumps') link.keepPumps(update.value.pumps, place === 'first');
      else if (place === 'first') link.pumps.lose('gap', local);
    }
    this.settle();
    return place !== 'useless' && message.update.case === 'waveform' ? message.update.value : null;
  }

  /** A subscription of a link was lost, or is being opened anew. */
  onLost(id: number, which: 'alarms' | 'pumps' | 'both', local: number, why: LinkWhy = 'ended'): void {
    this.advance(local);
    const link = this.links[id];
    // What is missing needs no other word than that the subscription has ended: it begins anew.
    const word = why === 'silent' ? why : 'ended';
    if (which !== 'pumps') link?.alarms.lose(word, local);
    if (which !== 'alarms') link?.pumps.lose(word, local);
    this.settle();
  }

  /** A call that was sent at `sent` was answered: it bounds how late everything from there can be. */
  onAnswer(id: number, epoch: bigint, nowMonoNs: bigint, sent: number, local: number): void {
    this.advance(local);
    const link = this.links[id];
    if (link === undefined) return;
    for (const lane of [link.alarms, link.pumps]) {
      lane.answered(epoch, nowMonoNs, sent, local);
    }
    this.settle();
  }

  tick(local: number): void {
    this.advance(local);
    this.settle();
  }

  /**
   * Another gateway has taken the place of this link and holds: what it judges by the same samples replaces this link's word.
   * What is about a pump that is not live there stays, as last known.
   */
  abandon(id: number, by: number): void {
    const [gone, other] = [this.links[id], this.links[by]];
    if (gone === undefined || other === undefined || !other.isKnown(this.now)) return;
    for (const key of gone.rows()) {
      for (const alarm of gone.ofRow(key)) {
        const pump = other.byPump.get(`${alarm.ward}/${alarm.pump}`);
        const judged = other.pumpsKnown(this.now) && pump?.link === LinkState.LIVE;
        if (isOwn(alarm) || judged) gone.remove(alarm.occurrence);
      }
      this.refresh(key, { kind: 'replaced' });
    }
  }

  /** The alarms, one row each, the most urgent first. */
  rows(): Row[] {
    return [...this.byKey.values()].sort(byUrgency);
  }

  row(key: string): Row | undefined {
    return this.byKey.get(key);
  }

  /** Every pump that any gateway told of, each by the freshest link that is known. */
  pumps(): PumpView[] {
    const views = new Map<string, PumpView>();
    for (const [id, link] of this.links.entries()) {
      for (const [name, pump] of link.byPump) {
        const view = pumpView(id, link, pump, this.now, this.staleMs);
        const known = views.get(name);
        if (known === undefined || isBetter(view, known)) views.set(name, view);
      }
    }
    return [...views.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, view]) => view);
  }

  /** Any link's alarms are known: without one nothing on the screen holds. */
  isKnown(): boolean {
    return this.links.some((link) => link.isKnown(this.now));
  }

  takeChanges(): Change[] {
    return this.changes.splice(0);
  }

  forgetMissed(): void {
    this.missed = [];
    this.missedIncomplete = false;
  }

  /** Until when everything was seen: of this gateway, else of the one that was heard last (its wall time counts then). */
  seenUntil(id: number): { epoch: bigint; monoNs: bigint; wallNs: bigint } | null {
    const own = this.links[id];
    const heard = (link: Link): boolean => link.alarms.epoch !== null;
    const newest = [...this.links].filter(heard).sort((one, other) => other.lastWord - one.lastWord)[0];
    const link = own !== undefined && heard(own) ? own : newest;
    const epoch = link?.alarms.epoch ?? null;
    if (link === undefined || epoch === null) return null;
    const seen = {
      epoch,
      monoNs: link.alarms.newestNs,
      wallNs: link.heartbeat?.wallNs ?? 0n,
    };
    return seen satisfies Omit<SeenUntil, '$typeName' | '$unknown'>;
  }

  /** What of a link must be subscribed anew, and why. */
  needsResubscribe(id: number): { alarms: LinkWhy | null; pumps: LinkWhy | null } {
    const link = this.links[id];
    if (link === undefined) return { alarms: null, pumps: null };
    const pumps = link.pumps.broken(this.now);
    const otherStart = link.alarms.broken(this.now) === null && link.pumps.epoch !== link.alarms.epoch;
    return { alarms: link.why(this.now), pumps: pumps ?? (otherStart ? 'epoch' : null) };
  }

  /** What a picture of now holds, for `painted` when it is on the glass. */
  marks(): Marks {
    const links = this.links.map(({ alarms, drills }) => {
      return { epoch: alarms.epoch, newestNs: alarms.newestNs, drills: drills.length };
    });
    return { rows: this.rows(), links };
  }

  /** A picture was painted: a person could see those of its rows that `shown` names. What was merely received is no proof. */
  painted(marks: Marks, shown: (key: string) => boolean): void {
    for (const row of marks.rows) {
      if (shown(row.key)) this.paintedRow(row);
    }
    for (const [index, mark] of marks.links.entries()) {
      const link = this.links[index];
      if (link === undefined || mark.epoch === null || link.alarms.epoch !== mark.epoch) continue;
      link.paintedDrills(mark.drills);
      const before = link.painted?.epoch === mark.epoch ? link.painted.newestNs : 0n;
      link.painted = { epoch: mark.epoch, newestNs: mark.newestNs > before ? mark.newestNs : before };
    }
  }

  private paintedRow(row: Row): void {
    for (const { link, occurrence, revision, call } of row.told) {
      this.seen.put(occurrence, Math.max(call, this.seen.get(occurrence) ?? 0));
      if (!row.unheard) this.links[link]?.paintedAlarm(occurrence, revision);
    }
  }

  private takeSnapshot(id: number, snapshot: AlarmSnapshot, sameEpoch: boolean): void {
    const link = this.links[id];
    if (link === undefined) return;
    const keyed = (alarm: Alarm): { key: string; alarm: Alarm } => ({ key: rowKey(alarm, id), alarm });
    const touched = new Set(link.rows());
    link.replace(snapshot.alarms.filter((alarm) => isActive(alarm) && this.concerns(alarm)).map(keyed));
    for (const key of link.rows()) touched.add(key);
    const ended = snapshot.ended.map(keyed).reverse();
    for (const { key, alarm } of ended) {
      link.noteEnded(alarm, key, this.now);
      touched.add(key);
    }
    this.missedIncomplete ||= snapshot.endedIncomplete;
    for (const key of touched) this.refresh(key, { kind: 'snapshot', sameEpoch });
    for (const { alarm } of ended) this.noteMissed(id, alarm, true);
  }

  private takeRevision(id: number, alarm: Alarm): void {
    const link = this.links[id];
    if (link === undefined) return;
    const key = rowKey(alarm, id);
    let isNews = true;
    if (this.concerns(alarm) || !isActive(alarm)) isNews = link.keep(alarm, key, this.now);
    // It was sent here although it is of another ward, and is so no longer.
    else link.remove(alarm.occurrence);
    if (isNews) this.refresh(key, { kind: 'revision', link: id, alarm });
    if (isNews && !isActive(alarm)) this.noteMissed(id, alarm, false);
  }

  /** Makes a row anew, and notes what became of it. */
  private refresh(key: string, cause: Cause): void {
    const before = this.byKey.get(key) ?? null;
    const merged = mergedRow(key, this.links, this.now);
    const row = merged === null ? null : { ...merged, calls: callsOf(merged, before) };
    if (row === null) this.byKey.delete(key);
    else this.byKey.set(key, row);
    const change = changeOf(before, row, cause, this.links, this.now);
    if (change === null) return;
    if (row === null && before !== null && change.what !== 'forgotten') {
      this.noteMissed(before.link, before.alarm, before.unheard || cause.kind === 'snapshot');
    }
    this.changes.push(change);
    if (this.changes.length > CHANGES_MAX) {
      this.changes.shift();
      this.changesLost += 1;
    }
  }

  /** It has ended: what was never painted was missed. */
  private noteMissed(link: number, alarm: Alarm, unheard: boolean): void {
    const painted = (this.seen.get(alarm.occurrence) ?? -1) >= alarm.call;
    if (painted || this.links.some((one) => one.holds(alarm.occurrence))) return;
    // Another gateway tells of the same one, or it went on to be worse.
    const others = this.missed.filter((missed) => missed.alarm.occurrence !== alarm.occurrence);
    this.missed = [{ link, alarm, unheard }, ...others];
    if (this.missed.length > MISSED_MAX) {
      this.missed.pop();
      this.missedIncomplete = true;
    }
  }

  /** Makes the rows anew when a link was lost or is heard again. */
  private settle(): void {
    const state = (link: Link): string =>
      `${String(link.isKnown(this.now))}${String(link.restores(this.now) !== null)}`;
    const known = this.links.map(state).join();
    if (known === this.known) return;
    this.known = known;
    const touched = new Set([...this.byKey.keys(), ...this.links.flatMap((link) => link.rows())]);
    for (const key of touched) this.refresh(key, { kind: 'link' });
  }

  private advance(local: number): void {
    this.now = Math.max(this.now, local);
  }

  private concerns(alarm: Alarm): boolean {
    return this.ward === '' || alarm.ward === '' || alarm.ward === this.ward || alarm.redirected;
  }
}
