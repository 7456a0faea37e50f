// One reading as it may be shown: its state, and the number only while it is one of now.

import { Validity } from '../wire/gen/ecmo/v1/frame_pb';
import { PumpState, type Reading } from '../wire/gen/ecmo/v1/pump_pb';
import { ms } from './clock';
import { reasonOf } from './convert';
import type { AlarmRow, Limit, Value, ValueState } from './picture';
import { type Freshness, VALUE_LIVE_MAX_MS, worse } from './freshness';
import type { PumpView } from './pump';
import type { LimitInForce, Treatment } from './treatment';

/** A value is live for twice the time between two samples, and never for less than this. */
const LIVE_MIN_MS = 500;

/** What is told of in this state stands still, because the pump has not run yet. */
const OF_RUNNING = new Set(['pump.speed', 'flow.blood', 'flow.blood.indexed']);

/** Gaps between samples that are remembered: the shortest counts, so that one that was long by accident does not. */
const GAPS = 4;

/** Oldest age at which a value of a channel that is slow by nature is shown, with its age. */
const SLOW_SHOWN_MAX_MS = 20_000;

/** How often each channel brings a sample, learned from the times of its samples. */
export class Rhythm {
  private readonly channels = new Map<string, { sampled: number; gaps: number[] }>();

  note(pump: string, readings: readonly Reading[]): void {
    for (const { parameter, sampledMonoNs } of readings) {
      if (sampledMonoNs === undefined) continue;
      const [key, sampled] = [`${pump}/${parameter}`, ms(sampledMonoNs)];
      const known = this.channels.get(key);
      // Another start of the gateway counts anew.
      if (known === undefined || sampled < known.sampled) this.channels.set(key, { sampled, gaps: [] });
      else if (sampled > known.sampled) {
        known.gaps.push(sampled - known.sampled);
        if (known.gaps.length > GAPS) known.gaps.shift();
        known.sampled = sampled;
      }
    }
  }

  /** How old a value of this channel may be: to be live, and to be shown with its age. */
  bounds(pump: string, parameter: string, staleMs: number): Bounds {
    const gaps = this.channels.get(`${pump}/${parameter}`)?.gaps ?? [];
    const every = gaps.length < GAPS ? 0 : Math.min(...gaps);
    const liveMs = Math.min(VALUE_LIVE_MAX_MS, Math.max(LIVE_MIN_MS, 2 * every));
    const shownMs = Math.max(staleMs, every > VALUE_LIVE_MAX_MS ? Math.min(SLOW_SHOWN_MAX_MS, 2 * every) : 0);
    return { liveMs, shownMs };
  }
}

export interface Bounds {
  liveMs: number;
  shownMs: number;
}

export function valueOfReading(
  view: PumpView,
  reading: Reading,
  bounds: Bounds,
  alarms: readonly AlarmRow[],
  treatment: Treatment | null,
): Value {
  const { parameter, unit } = reading;
  const ageMs = ageAt(reading.sampledMonoNs, view.now);
  const reason = reasonOf(reading.validity);
  const state = stateOfReading(view, reading, ageMs, bounds);
  const isNumber = state === 'live' || state === 'late' || state === 'standby';
  const limits = treatment === null ? { low: null, high: null } : limitsOf(treatment, parameter);
  return {
    parameter,
    unit,
    state,
    value: isNumber ? (reading.value ?? null) : null,
    reason: state === 'invalid' ? reason : null,
    ageMs,
    last: lastOf(reading, view.now, ageMs),
    ...limits,
    ...alarmOf(parameter, alarms),
  };
}

function stateOfReading(view: PumpView, reading: Reading, ageMs: number | null, bounds: Bounds): ValueState {
  const { value, validity } = reading;
  const fresh = worse(view.freshness, freshnessIn(ageMs, bounds));
  // Nothing that is not heard of now has a state of now: also not that of being no measurement.
  if (fresh === 'stale') return 'stale';
  if (validity !== Validity.VALID || value === undefined || !Number.isFinite(value)) return 'invalid';
  const stands = view.pump.state === PumpState.STANDBY && OF_RUNNING.has(reading.parameter);
  return stands && fresh === 'live' ? 'standby' : fresh;
}

function freshnessIn(ageMs: number | null, { liveMs, shownMs }: Bounds): Freshness {
  if (ageMs === null || !(ageMs <= shownMs)) return 'stale';
  return ageMs <= liveMs ? 'live' : 'late';
}

function ageAt(atNs: bigint | undefined, now: number | null): number | null {
  return atNs === undefined || now === null ? null : Math.max(0, now - ms(atNs));
}

function lastOf(reading: Reading, now: number | null, ageMs: number | null): Value['last'] {
  const { value, lastValue, validity } = reading;
  if (validity === Validity.VALID && value !== undefined && ageMs !== null) return { value, ageMs };
  const lastAge = ageAt(reading.lastValueMonoNs, now);
  return lastValue === undefined || lastAge === null ? null : { value: lastValue, ageMs: lastAge };
}

/** The value itself is held against it: not its distance from a setting, and not whether there is something. */
function isOfValue({ condition, unit, limit }: LimitInForce): boolean {
  return Number.isFinite(limit) && !condition.endsWith('.dev') && unit !== '{bool}';
}

/** The limit that is crossed first on each side. */
function limitsOf(treatment: Treatment, parameter: string): { low: Limit | null; high: Limit | null } {
  let low: Limit | null = null;
  let high: Limit | null = null;
  for (const one of treatment.limits) {
    const { rule, limit: value, isSet: changed, priority, side } = one;
    if (one.parameter !== parameter || value === null || !isOfValue(one)) continue;
    const limit = { rule, value, priority, changed };
    if (side === 'below' && (low === null || value > low.value)) low = limit;
    if (side === 'above' && (high === null || value < high.value)) high = limit;
  }
  return { low, high };
}

function alarmOf(parameter: string, alarms: readonly AlarmRow[]): Pick<Value, 'crossed' | 'alarm'> {
  const watching = alarms.filter((row) => row.parameter === parameter && row.priority !== 'information');
  const first = watching[0];
  const present = watching.find((row) => row.state !== 'latched' && row.side !== null);
  const side = present === undefined ? null : present.side === 'below' ? 'low' : 'high';
  return {
    crossed: side,
    alarm: first === undefined ? null : { priority: first.priority, signals: first.signals },
  };
}
