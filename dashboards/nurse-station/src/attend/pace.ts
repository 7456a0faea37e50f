// How fast this display paints, over the last seconds, and whether that is too slow.

/** Over which time pictures and their lag are counted. */
const COUNTED_MS = 3_000;

/** Fewer frames a second than this ... */
const SLOW_FPS = 10;

/** ... for so long is told: DISPLAY SLOW. */
const SLOW_FOR_MS = 5_000;

export class Pace {
  private frames: number[] = [];
  private lags: { at: number; lagMs: number }[] = [];
  private slowSince: number | null = null;

  /** The screen showed a frame. */
  frame(now: number): void {
    this.frames.push(now);
    this.forget(now);
    this.slowSince = this.framesPerSecond(now) < SLOW_FPS ? (this.slowSince ?? now) : null;
  }

  /** A picture that had come so long before is on the glass. */
  picture(now: number, lagMs: number): void {
    this.lags.push({ at: now, lagMs });
    this.forget(now);
  }

  /** Nothing was shown for a reason that is not this page's fault, such as that it was hidden. */
  restart(now: number): void {
    this.frames = [now];
    this.slowSince = null;
  }

  framesPerSecond(now: number): number {
    const first = this.frames[0];
    if (first === undefined) return 0;
    // A page that has just begun is judged by the time that it has had, a second at the least.
    const time = Math.min(COUNTED_MS, Math.max(1_000, now - first));
    return (this.frames.filter((at) => now - at <= COUNTED_MS).length * 1_000) / time;
  }

  lagMs(): number {
    return this.lags.reduce((most, { lagMs }) => Math.max(most, lagMs), 0);
  }

  isSlow(now: number): boolean {
    return this.slowSince !== null && now - this.slowSince >= SLOW_FOR_MS;
  }

  private forget(now: number): void {
    while ((this.frames[0] ?? now) < now - COUNTED_MS) this.frames.shift();
    while ((this.lags[0]?.at ?? now) < now - COUNTED_MS) this.lags.shift();
  }
}
