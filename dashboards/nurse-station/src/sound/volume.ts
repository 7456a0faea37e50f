// How loud each burst is, from what a person has set. Pure; all of it 0 to 1.
import { bursts, type BurstName } from './burst';

/** What a person can set. */
export interface Volumes {
  high: number;
  medium: number;
  low: number;
}

export const usualVolumes: Volumes = { high: 1, medium: 0.8, low: 0.6 };

/** No setting makes these quieter: a high alarm and a lost gateway are always heard. */
export const floors: Readonly<Volumes> = { high: 0.5, medium: 0.2, low: 0.1 };

function within(value: number, floor: number): number {
  // What is no number is no wish.
  return Number.isFinite(value) ? Math.min(1, Math.max(floor, value)) : 1;
}

/** The volumes that hold: within their floors, and none louder than the one above it. */
export function holdVolumes(wanted: Volumes): Volumes {
  const high = within(wanted.high, floors.high);
  const medium = Math.min(within(wanted.medium, floors.medium), high);
  return { high, medium, low: Math.min(within(wanted.low, floors.low), medium) };
}

/** The gain of a burst. */
export function gainOf(name: BurstName, volumes: Volumes): number {
  const held = holdVolumes(volumes);
  switch (name) {
    case 'lost':
    case 'high':
      return held.high * bursts[name].gain;
    case 'medium':
    case 'technical':
    case 'lost-quiet':
      return held.medium;
    case 'low':
      return held.low;
  }
}
