// The state of the link of the whole screen: the worst that holds, and for how long.

import type { Link } from './link';
import type { LinkState, LinkWhy } from './picture';
import type { Screen } from './screen';

/** Messages that waited for longer make the picture delayed. */
const DELAYED_MS = 1_000;

/** The picture is delayed until they have waited for less than this ... */
const UNDELAYED_MS = 500;

/** ... for so long. */
const UNDELAYED_FOR_MS = 5_000;

/** A gateway that has not said anything for longer is behind; after 3 s it is lost. It speaks each second. */
const BEHIND_MS = 2_000;

/** For how long it is told that another gateway, or another start of it, speaks. */
const CHANGED_FOR_MS = 10_000;

export interface Whole {
  state: LinkState;
  sinceMs: number;
  why: LinkWhy | null;
  /** How old the newest word of the alarms is; null while they are not known. */
  silenceMs: number | null;
  delayMs: number;
  /** The link whose word counts: the one that is known, else the one that was heard last. */
  link: number;
}

/** Keeps what a state of now depends on: what was before. */
export class WholeState {
  private state: LinkState = 'connecting';
  private since: number | null = null;
  private delayed = false;
  private smallSince: number | null = null;
  private speaks: string | null = null;
  private changedAt: number | null = null;

  at(screen: Screen, isMismatch: boolean, local: number): Whole {
    const links = screen.links;
    const alarms = links.findIndex((link) => link.isKnown(local));
    const pumps = links.findIndex((link) => link.pumpsKnown(local));
    const heard = this.heardLast(links);
    const index = alarms >= 0 ? alarms : pumps >= 0 ? pumps : heard;
    const link = links[index];
    const delayMs = link === undefined ? 0 : delayOf(link, local);
    const base = baseOf(alarms >= 0, pumps >= 0, links);
    if (alarms >= 0 && link !== undefined)
      this.noteSpeaker(`${String(index)}/${String(link.alarms.epoch)}`, local);
    const isDelayed = this.isDelayed(base !== 'lost' && base !== 'connecting', delayMs, local);
    const isChanged = this.changedAt !== null && local - this.changedAt < CHANGED_FOR_MS;
    let state = base;
    // One stream alone is worse than a delay, and a delay is worse than another version.
    if (base === 'synced')
      state = isDelayed ? 'delayed' : isMismatch ? 'mismatch' : isChanged ? 'changed' : 'synced';
    if (state !== this.state || this.since === null) this.since = local;
    this.state = state;
    const why = alarms >= 0 && pumps >= 0 ? null : this.whyOf(links[heard], local);
    const lostFor = state === 'lost' ? (links[heard]?.lostFor(local) ?? 0) : 0;
    const silenceMs = alarms >= 0 ? (link?.alarms.silence(local) ?? null) : null;
    return { state, sinceMs: Math.max(local - this.since, lostFor), why, silenceMs, delayMs, link: index };
  }

  private heardLast(links: readonly Link[]): number {
    let last = 0;
    for (const [index, link] of links.entries()) {
      if (link.lastWord > (links[last]?.lastWord ?? 0)) last = index;
    }
    return last;
  }

  private whyOf(link: Link | undefined, local: number): LinkWhy {
    return link?.why(local) ?? link?.pumps.broken(local) ?? 'never';
  }

  private noteSpeaker(speaks: string, local: number): void {
    if (this.speaks !== null && this.speaks !== speaks) this.changedAt = local;
    this.speaks = speaks;
  }

  private isDelayed(isKnown: boolean, delayMs: number, local: number): boolean {
    if (!isKnown) return false;
    if (delayMs > DELAYED_MS) {
      this.delayed = true;
      this.smallSince = null;
    } else if (delayMs >= UNDELAYED_MS) {
      this.smallSince = null;
    } else {
      this.smallSince ??= local;
      if (local - this.smallSince >= UNDELAYED_FOR_MS) this.delayed = false;
    }
    return this.delayed;
  }
}

/** What was never told of is being connected to; what was told of and does not hold is lost. */
function baseOf(alarms: boolean, pumps: boolean, links: readonly Link[]): LinkState {
  if (alarms) return pumps ? 'synced' : 'alarms-only';
  if (pumps) return 'telemetry-only';
  return links.some((link) => link.alarms.epoch !== null || link.pumps.epoch !== null)
    ? 'lost'
    : 'connecting';
}

/** How old the picture is because messages queued up, or because the gateway is behind with its own. */
function delayOf(link: Link, local: number): number {
  let delay = 0;
  for (const lane of [link.alarms, link.pumps]) {
    const silence = lane.silence(local);
    if (silence === null) continue;
    delay = Math.max(delay, lane.waitedMs, silence > BEHIND_MS ? silence : 0);
  }
  return delay;
}
