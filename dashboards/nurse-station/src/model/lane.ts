// One subscription of one link: numbered without a gap, of one epoch, and heard of lately.

import { GatewayClock, ms } from './clock';
import type { LinkWhy } from './picture';

/** A link whose newest message is older than this is late. The gateway's alarm thread sends one each second. */
export const LATE_AFTER_MS = 1_500;

/** A link whose newest message is older than this is lost: a frozen gateway gives no other sign. */
export const LOST_AFTER_MS = 3_000;

/** What a message is in its subscription: the first holds everything; of a useless one something before it is missing. */
export type Place = 'first' | 'next' | 'useless';

/** What every message carries. */
export interface Stamp {
  sequence: bigint;
  epoch: bigint;
  nowMonoNs: bigint;
}

export class Lane {
  /** Epoch of what is known; null before the first message. */
  epoch: bigint | null = null;
  clock = new GatewayClock();
  /** The newest time that the gateway told here without a gap before it, in ns; 0 before the first. */
  newestNs = 0n;
  /** Since when it has been of no use, where it ever was of use; local ms. */
  lostAt: number | null = null;
  /** How long the newest message had waited on its way, in ms. */
  waitedMs = 0;
  /** What answers told of the clock of an epoch that this subscription has not told of yet: they may overtake it. */
  private ahead: { epoch: bigint; clock: GatewayClock } | null = null;
  private next: bigint | null = null;
  private reason: LinkWhy = 'never';

  take(stamp: Stamp, local: number): Place {
    let place: Place = 'next';
    if (stamp.sequence === 0n) {
      // A subscription always begins with everything.
      if (this.epoch !== stamp.epoch) {
        this.clock = this.ahead?.epoch === stamp.epoch ? this.ahead.clock : new GatewayClock();
        this.ahead = null;
        this.newestNs = 0n;
      }
      this.epoch = stamp.epoch;
      this.lostAt = null;
      place = 'first';
    } else if (this.next === null) {
      return 'useless';
    } else if (this.epoch !== stamp.epoch) {
      this.lose('epoch', local);
      return 'useless';
    } else if (stamp.sequence !== this.next) {
      this.lose('gap', local);
      return 'useless';
    }
    this.next = stamp.sequence + 1n;
    this.clock.observe(ms(stamp.nowMonoNs), local);
    this.waitedMs = this.clock.waited(ms(stamp.nowMonoNs), local);
    if (stamp.nowMonoNs > this.newestNs) this.newestNs = stamp.nowMonoNs;
    return place;
  }

  /** A question that was sent at `sent` was answered at `nowMonoNs` of the gateway's start `epoch`. */
  answered(epoch: bigint, nowMonoNs: bigint, sent: number, local: number): void {
    if (this.epoch === epoch) {
      this.clock.answered(ms(nowMonoNs), sent, local);
      return;
    }
    if (this.ahead?.epoch !== epoch) this.ahead = { epoch, clock: new GatewayClock() };
    this.ahead.clock.answered(ms(nowMonoNs), sent, local);
  }

  /** It is of no use until it begins anew. */
  lose(why: LinkWhy, local: number): void {
    if (this.next !== null) this.lostAt = local;
    this.next = null;
    this.reason = why;
  }

  /** How old its newest message is; null when it is of no use. */
  silence(local: number): number | null {
    if (this.next === null) return null;
    const now = this.clock.now(local);
    return now === null ? null : Math.max(0, now - ms(this.newestNs));
  }

  /** Why messages are of no use; null while they are, however late. */
  cut(): LinkWhy | null {
    return this.next === null ? this.reason : null;
  }

  /** Why it must be opened anew; null while it is of use. */
  broken(local: number): LinkWhy | null {
    if (this.next === null) return this.reason;
    const silence = this.silence(local);
    return silence !== null && silence <= LOST_AFTER_MS ? null : 'silent';
  }
}
