// How long the picture of a pump may stand still. Pure; times are those of the picture, in ms.

/** A frozen picture goes on by itself after so long. */
export const FREEZE_MAX_MS = 60_000;

/** For how long it has stood still. */
export function frozenMs(frozenAtMs: number, nowMs: number): number {
  return Math.max(0, nowMs - frozenAtMs);
}

/** Whether it must go on; also when time has gone backwards, which says that nothing is known of it. */
export function isOver(frozenAtMs: number, nowMs: number): boolean {
  return nowMs < frozenAtMs || nowMs - frozenAtMs >= FREEZE_MAX_MS;
}
