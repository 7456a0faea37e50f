// Which burst plays, and when it begins anew. Pure: what is wanted and what plays go in, what to do comes out.
import { bursts, lengthMs, type BurstName } from './burst';

/** What the picture asks for. A new key is a new call for a person. */
export interface Wanted {
  play: BurstName | 'none';
  key: string;
}

/** What plays: since when, by the audio clock in ms. Null while nothing does. */
export interface Playing {
  name: BurstName;
  key: string;
  sinceMs: number;
}

/**
 * stop ends what plays; start does, too, and begins a burst at once; adopt lets the burst that sounds stand for the new
 * call, too; keep leaves all as it is.
 */
export type Step =
  | { kind: 'keep' }
  | { kind: 'stop' }
  | { kind: 'adopt'; key: string }
  | { kind: 'start'; name: BurstName; key: string };

/** Whether the burst that repeats is sounding now, and not between two repeats. */
export function isSounding(playing: Playing, nowMs: number): boolean {
  const shape = bursts[playing.name];
  const within = Math.max(0, nowMs - playing.sinceMs) % shape.periodMs;
  return within < lengthMs(shape);
}

/**
 * Only one burst plays, the most urgent: the picture has chosen it. A new call of the same urgency begins at once when the
 * burst is between two repeats; while it sounds it is heard as it is, for a burst that starts over and over is none.
 */
export function next(wanted: Wanted, playing: Playing | null, nowMs: number): Step {
  if (wanted.play === 'none') return playing === null ? { kind: 'keep' } : { kind: 'stop' };
  if (playing === null || playing.name !== wanted.play) {
    return { kind: 'start', name: wanted.play, key: wanted.key };
  }
  if (playing.key === wanted.key) return { kind: 'keep' };
  if (isSounding(playing, nowMs)) return { kind: 'adopt', key: wanted.key };
  return { kind: 'start', name: wanted.play, key: wanted.key };
}
