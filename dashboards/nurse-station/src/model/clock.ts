// Tells a gateway's present time from the times in its messages. Local times are ms of performance.now() of whoever reads.

/** Two clocks drift apart by less than this; what grows faster is delay, not drift. */
const DRIFT = 500e-6;

/** Nanoseconds on the wire as milliseconds. */
export function ms(ns: bigint): number {
  return Number(ns) / 1e6;
}

/**
 * The message that travelled fastest gives the difference of the clocks, so one that waited somewhere looks as old as it is.
 * The difference is never forgotten, only widened by drift: a queue that stays long for minutes never begins to look short.
 * A way that was slow from the first message on is told by a question and its answer: that cannot be older than the question.
 */
export class GatewayClock {
  /** Greatest possible (local - gateway) difference, and when it was seen. */
  private most: { difference: number; at: number } | null = null;
  /** Least possible difference, by questions and their answers, and when it was seen. */
  private least: { difference: number; at: number } | null = null;
  private newest: number | null = null;

  /** A message that the gateway made at `gateway` was read at `local`. */
  observe(gateway: number, local: number): void {
    const seen = local - gateway;
    const most = this.mostAt(local);
    this.most = { difference: most === null ? seen : Math.min(most, seen), at: local };
    this.newest = this.newest === null ? gateway : Math.max(this.newest, gateway);
  }

  /** A question sent at `sent` was answered by the gateway at its time `gateway`; the answer was read at `local`. */
  answered(gateway: number, sent: number, local: number): void {
    this.observe(gateway, local);
    const seen = sent - gateway;
    const least = this.leastAt(local);
    this.least = { difference: least === null ? seen : Math.max(least, seen), at: local };
  }

  /** The latest time that the gateway's clock can show at `local`: ages are counted by it. Null before the first message. */
  now(local: number): number | null {
    const most = this.mostAt(local);
    if (most === null) return null;
    const least = this.leastAt(local);
    // Two bounds that contradict each other: a clock ran away. The greater age is the safe one.
    const now = Math.max(0, local - (least === null ? most : Math.min(least, most)));
    // Never before a time that the gateway itself has told.
    return this.newest === null ? now : Math.max(this.newest, now);
  }

  /** How old the newest message is at `local`; null before the first message. */
  delay(local: number): number | null {
    const now = this.now(local);
    return now === null || this.newest === null ? null : Math.max(0, now - this.newest);
  }

  /** How long the message of `gateway`, read at `local`, had waited on its way. */
  waited(gateway: number, local: number): number {
    const now = this.now(local);
    return now === null ? 0 : Math.max(0, now - gateway);
  }

  /** What two clocks of one start of a gateway know together at `local`. */
  joined(other: GatewayClock, local: number): GatewayClock {
    const joined = new GatewayClock();
    const most = pick(Math.min, this.mostAt(local), other.mostAt(local));
    const least = pick(Math.max, this.leastAt(local), other.leastAt(local));
    joined.most = most === null ? null : { difference: most, at: local };
    joined.least = least === null ? null : { difference: least, at: local };
    joined.newest = pick(Math.max, this.newest, other.newest);
    return joined;
  }

  private mostAt(local: number): number | null {
    return this.most && this.most.difference + drift(this.most.at, local);
  }

  private leastAt(local: number): number | null {
    return this.least && this.least.difference - drift(this.least.at, local);
  }
}

function drift(from: number, to: number): number {
  return Math.max(0, to - from) * DRIFT;
}

function pick(choose: (...of: number[]) => number, one: number | null, other: number | null): number | null {
  if (one === null) return other;
  return other === null ? one : choose(one, other);
}
