// One pump as it may be shown: the freshest word of any gateway, with its age.

import { LinkState, type Pump } from '../wire/gen/ecmo/v1/pump_pb';
import { ms } from './clock';
import { FRESHNESS_ORDER, type Freshness, freshnessOf, worse } from './freshness';
import type { Link } from './link';

export interface PumpView {
  link: number;
  pump: Pump;
  /** That gateway's time now, in ms: ages are counted by it; null before its first message. */
  now: number | null;
  /** The link's word holds now; else everything is the last known. */
  known: boolean;
  /** Age of the newest frame; null when there was none. */
  ageMs: number | null;
  /** How fresh it is as a whole. A single reading may be older. */
  freshness: Freshness;
}

/** A pump by what one link says; what is older than `staleMs` is stale. */
export function pumpView(id: number, link: Link, pump: Pump, local: number, staleMs: number): PumpView {
  const known = link.pumpsKnown(local);
  const now = link.pumps.clock.now(local);
  const frame = pump.lastFrameMonoNs;
  const ageMs = frame === undefined || now === null ? null : Math.max(0, now - ms(frame));
  const arrives = pump.link === LinkState.LIVE && (known || link.pumpsAge());
  let freshness: Freshness = arrives ? freshnessOf(ageMs, staleMs) : 'stale';
  // A stream that was cut ages to stale; nothing proves that what it last said still holds, so it is late at best.
  if (!known || pump.ageUnproven) freshness = worse(freshness, 'late');
  return { link: id, pump, now, known, ageMs, freshness };
}

/** Known before unknown, then the fresher one. */
export function isBetter(one: PumpView, other: PumpView): boolean {
  if (one.known !== other.known) return one.known;
  if (one.freshness !== other.freshness)
    return FRESHNESS_ORDER[one.freshness] < FRESHNESS_ORDER[other.freshness];
  return (one.ageMs ?? Infinity) < (other.ageMs ?? Infinity);
}
