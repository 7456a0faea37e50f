// What each burst is made of: pulses in time, their pitch, and when the burst begins again. Pure; times in ms.

/** What can be heard. `technical` is a medium burst of this display's own; `lost` says that it has no gateway. */
export type BurstName = 'lost' | 'high' | 'medium' | 'technical' | 'low' | 'lost-quiet';

export const burstNames: readonly BurstName[] = ['lost', 'high', 'medium', 'technical', 'low', 'lost-quiet'];

export interface Pulse {
  /** From the begin of the burst. */
  atMs: number;
  lengthMs: number;
  /** Fundamental, in Hz. */
  pitch: number;
}

export interface BurstShape {
  pulses: readonly Pulse[];
  /** From one begin of the burst to the next. */
  periodMs: number;
  /** Loudness against the high burst, 0 to 1. */
  gain: number;
}

/** Level of the fundamental and of harmonics 2 to 5, in dB. */
export const harmonicsDb: readonly number[] = [0, -3, -5, -6, -7];

/** Part of a pulse in which it rises, and in which it falls. */
export const risePart = 0.15;

/** One after the other, with these pauses between. */
function series(pitches: readonly number[], lengthMs: number, pauses: readonly number[]): Pulse[] {
  let atMs = 0;
  return pitches.map((pitch, at) => {
    const pulse = { atMs, lengthMs, pitch };
    atMs += lengthMs + (pauses[at] ?? 0);
    return pulse;
  });
}

/** 3 + 2 pulses, and the same again: the rhythm of a high alarm. */
function highPulses(): Pulse[] {
  const [short, middle, long] = [100, 250, 500];
  const five = [short, short, middle, short];
  return series(
    Array.from({ length: 10 }, () => 440),
    150,
    [...five, long, ...five],
  );
}

/** Down and up again, in steps that no priority has. */
const lostPulses = series([880, 587, 880, 587, 880, 587], 300, [40, 40, 40, 40, 40]);

export const bursts: Readonly<Record<BurstName, BurstShape>> = {
  lost: { pulses: lostPulses, periodMs: 10_000, gain: 1 },
  high: { pulses: highPulses(), periodMs: 10_000, gain: 1 },
  medium: { pulses: series([392, 392, 392], 200, [200, 200]), periodMs: 25_000, gain: 0.8 },
  technical: { pulses: series([523, 523, 392], 200, [200, 200]), periodMs: 25_000, gain: 0.8 },
  low: { pulses: series([349], 200, []), periodMs: 30_000, gain: 0.6 },
  'lost-quiet': { pulses: lostPulses.slice(0, 2), periodMs: 60_000, gain: 0.8 },
};

/** How long a burst sounds. */
export function lengthMs(shape: BurstShape): number {
  const last = shape.pulses.at(-1);
  return last === undefined ? 0 : last.atMs + last.lengthMs;
}
