// Keeps both streams of one gateway open, and goes over to the other gateway when one does not answer.

import type { LinkWhy } from '../model/picture';

export type Which = 'alarms' | 'pumps';

/** Waits before an attempt: none before the first. Beyond, the last one, for ever. */
const WAITS_MS = [0, 250, 500, 1_000, 2_000];

/** Longest wait for the first message of a stream, while there is another gateway to go to; and while there is none. */
const FIRST_MS = 700;
const FIRST_ALONE_MS = 2_000;

/** A gateway whose pumps alone cannot be had is left after so many attempts. */
const PUMPS_TRIES = 4;

/** What opens streams, and hears of them. */
export interface KeeperSetting {
  /** How many there are; more may become known. */
  gateways: () => number;
  /** Yields the messages of a stream until it ends or fails. */
  open: (gateway: number, which: Which, signal: AbortSignal) => AsyncIterable<unknown>;
  onMessage: (gateway: number, which: Which, message: unknown) => void;
  onLost: (gateway: number, which: Which, why: LinkWhy) => void;
  /** The word that a stream failed with; for a page that is too old to understand its gateway. */
  onError: (gateway: number, which: Which, error: unknown) => void;
  /** 0 to 1. */
  random: () => number;
}

interface Stream {
  abort: AbortController;
  /** Messages that came. */
  heard: number;
}

interface Lane {
  live: Stream | null;
  /** Opened, and not heard of yet. */
  coming: Stream | null;
  /** Attempts since it was last heard. */
  tries: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Something else is wanted than what was asked for when it was opened. */
  isOutdated: boolean;
}

const newLane = (): Lane => ({ live: null, coming: null, tries: 0, timer: undefined, isOutdated: false });

export class Keeper {
  /** The gateway whose streams are open, or being opened. */
  active = 0;
  private lanes: Record<Which, Lane> = { alarms: newLane(), pumps: newLane() };
  /** Gateways that were tried in turn since alarms were last heard. */
  private turns = 0;
  /** Gateways that were tried for the sake of pumps alone, since these were last heard. */
  private pumpsTurns = 0;

  constructor(private readonly setting: KeeperSetting) {}

  start(): void {
    this.reach('alarms');
    this.reach('pumps');
  }

  stop(): void {
    for (const which of ['alarms', 'pumps'] as const) this.drop(which);
  }

  /** A stream is of no use: it is silent, or something before is missing. */
  broken(which: Which, why: LinkWhy): void {
    const lane = this.lanes[which];
    // One that is being opened has its own patience.
    if (lane.live === null) return;
    this.drop(which);
    this.setting.onLost(this.active, which, why);
    // A gateway that is frozen takes connections and says nothing: it is not asked again first.
    if (why === 'silent' && which === 'alarms' && this.setting.gateways() > 1) this.change();
    else this.again(which);
  }

  /** Other waveforms are wanted: a new stream takes the place of the present one without a gap. */
  renew(which: Which): void {
    const lane = this.lanes[which];
    lane.isOutdated = true;
    if (lane.live !== null && lane.coming === null) this.reach(which);
  }

  private reach(which: Which): void {
    const lane = this.lanes[which];
    const stream: Stream = { abort: new AbortController(), heard: 0 };
    lane.coming?.abort.abort();
    lane.coming = stream;
    lane.isOutdated = false;
    // When no gateway was fast enough, each is given more time.
    const patience = this.setting.gateways() > 1 ? FIRST_MS * (1 + this.turns) : FIRST_ALONE_MS;
    const timer = setTimeout(
      () => {
        stream.abort.abort();
        this.ended(which, stream);
      },
      Math.min(patience, FIRST_ALONE_MS),
    );
    void this.read(which, stream, timer);
  }

  private async read(which: Which, stream: Stream, timer: ReturnType<typeof setTimeout>): Promise<void> {
    const gateway = this.active;
    try {
      for await (const message of this.setting.open(gateway, which, stream.abort.signal)) {
        if (stream.abort.signal.aborted) break;
        clearTimeout(timer);
        this.heard(which, stream, gateway, message);
      }
    } catch (error) {
      if (!stream.abort.signal.aborted) this.setting.onError(gateway, which, error);
    }
    clearTimeout(timer);
    if (!stream.abort.signal.aborted) this.ended(which, stream);
  }

  private heard(which: Which, stream: Stream, gateway: number, message: unknown): void {
    const lane = this.lanes[which];
    if (stream === lane.coming) {
      lane.live?.abort.abort();
      lane.live = stream;
      lane.coming = null;
    }
    if (stream !== lane.live) return;
    stream.heard += 1;
    // A stream that ends after its snapshot each time is no better than one that does not come.
    if (stream.heard >= 3) {
      lane.tries = 0;
      if (which === 'alarms') this.turns = 0;
      else this.pumpsTurns = 0;
    }
    this.setting.onMessage(gateway, which, message);
    if (lane.isOutdated && lane.coming === null) this.reach(which);
  }

  private ended(which: Which, stream: Stream): void {
    const lane = this.lanes[which];
    if (stream === lane.coming) {
      lane.coming = null;
      // The present one goes on.
      if (lane.live !== null) return;
      this.failed(which);
    } else if (stream === lane.live) {
      lane.live = null;
      this.setting.onLost(this.active, which, 'ended');
      // One that is about to take its place does.
      if (lane.coming === null) this.failed(which);
    }
  }

  private failed(which: Which): void {
    const { tries } = this.lanes[which];
    const others = this.setting.gateways() - 1;
    // Alarms that come are worth more than pumps that do not: for pumps alone each gateway is tried once.
    const isForPumps = which === 'pumps' && tries >= PUMPS_TRIES && this.pumpsTurns < others;
    if (isForPumps) this.pumpsTurns += 1;
    if (others > 0 && (isForPumps || (which === 'alarms' && tries >= 1))) this.change();
    else this.again(which);
  }

  private again(which: Which): void {
    const lane = this.lanes[which];
    const wait = this.wait(lane.tries);
    lane.tries += 1;
    clearTimeout(lane.timer);
    lane.timer = setTimeout(() => {
      this.reach(which);
    }, wait);
  }

  private change(): void {
    for (const which of ['alarms', 'pumps'] as const) {
      const isLive = this.lanes[which].live !== null;
      this.drop(which);
      if (isLive) this.setting.onLost(this.active, which, 'ended');
    }
    this.active = (this.active + 1) % this.setting.gateways();
    // The first turn is taken at once; when all were tried, there is time.
    const wait = this.wait(Math.max(0, this.turns - this.setting.gateways() + 1));
    this.turns += 1;
    for (const which of ['alarms', 'pumps'] as const) {
      const lane = this.lanes[which];
      // It was tried here as often as it needs to be, to go on with the next.
      lane.tries = which === 'alarms' ? 1 : 0;
      lane.timer = setTimeout(() => {
        this.reach(which);
      }, wait);
    }
  }

  private drop(which: Which): void {
    const lane = this.lanes[which];
    clearTimeout(lane.timer);
    lane.live?.abort.abort();
    lane.coming?.abort.abort();
    lane.live = null;
    lane.coming = null;
  }

  private wait(tries: number): number {
    const wait = WAITS_MS[Math.min(tries, WAITS_MS.length - 1)] ?? 0;
    return wait * (0.8 + 0.4 * this.setting.random());
  }
}
