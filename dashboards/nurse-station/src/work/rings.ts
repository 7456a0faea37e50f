// The newest samples of each waveform, by the gateway's time: what a sweep begins with, and an event strip is made of.

import { Validity } from '../wire/gen/ecmo/v1/frame_pb';
import type { WaveformBlock } from '../wire/gen/ecmo/v1/pump_service_pb';
import { ms } from '../model/clock';
import type { Strip } from '../model/trend';

/** Most samples of a waveform: 30 s at 100 Hz, and as much again. */
const SAMPLES_MAX = 6_000;

/** Steps between single samples that are remembered. */
const STEPS = 8;

/** Values of a block; NaN where a sample is no measurement. */
export function samplesOf(block: WaveformBlock): { startMs: number; stepMs: number; values: Float32Array } {
  const values = Float32Array.from(block.values);
  let at = 0;
  for (const { validity, count } of block.validity) {
    if (validity !== Validity.VALID) values.fill(NaN, at, at + count);
    at += count;
  }
  return { startMs: ms(block.startMonoNs), stepMs: ms(block.intervalNs), values };
}

export class Ring {
  private readonly times = new Float64Array(SAMPLES_MAX);
  private readonly values = new Float32Array(SAMPLES_MAX);
  private next = 0;
  private count = 0;
  /** Time between two samples; of single ones the shortest of the last few. 0 while it is not known. */
  stepMs = 0;
  private steps: number[] = [];
  private newestMs: number | null = null;

  push(startMs: number, stepMs: number, values: Float32Array): void {
    this.stepMs = stepMs > 0 ? stepMs : this.learn(startMs);
    this.newestMs = startMs + (values.length - 1) * this.stepMs;
    for (const [index, value] of values.entries()) {
      this.times[this.next] = startMs + index * this.stepMs;
      this.values[this.next] = value;
      this.next = (this.next + 1) % SAMPLES_MAX;
      this.count = Math.min(this.count + 1, SAMPLES_MAX);
    }
  }

  clear(): void {
    this.count = 0;
    this.steps = [];
    this.newestMs = null;
  }

  /** One gap must not pass for the time between two samples: it would be bridged. */
  private learn(startMs: number): number {
    if (this.newestMs !== null && startMs > this.newestMs) this.steps.push(startMs - this.newestMs);
    if (this.steps.length > STEPS) this.steps.shift();
    return this.steps.length === 0 ? 0 : Math.min(...this.steps);
  }

  /** Samples since this time, the oldest first, each with its time. */
  since(fromMs: number): { timeMs: number; value: number }[] {
    const samples: { timeMs: number; value: number }[] = [];
    for (let back = this.count; back > 0; back -= 1) {
      const at = (this.next - back + SAMPLES_MAX) % SAMPLES_MAX;
      const timeMs = this.times[at] ?? 0;
      if (timeMs >= fromMs) samples.push({ timeMs, value: this.values[at] ?? NaN });
    }
    return samples;
  }
}

/** An event strip of even steps: what is missing between two samples, and what is no measurement, is null. */
export function stripOf(
  parameter: string,
  ring: Ring | undefined,
  fromMs: number,
  untilMs: number,
  wallOffsetMs: number,
): Strip {
  const stepMs = ring === undefined || ring.stepMs <= 0 ? 10 : ring.stepMs;
  const length = Math.max(0, Math.ceil((untilMs - fromMs) / stepMs));
  const values = new Array<number | null>(length).fill(null);
  for (const { timeMs, value } of ring?.since(fromMs) ?? []) {
    const at = Math.floor((timeMs - fromMs) / stepMs);
    if (at < length && Number.isFinite(value)) values[at] = value;
  }
  return { parameter, unit: '', startWallMs: fromMs + wallOffsetMs, stepMs, values };
}
