// How old something may be to be shown. No part of the wire is read here: the page ages pictures by it.

/** A value that is older than this is never live; channels that come faster are held to less: see reading.ts. */
export const VALUE_LIVE_MAX_MS = 1_500;

/** A value that is older than this is not shown, where the site has not set another time. */
export const VALUE_SHOWN_MAX_MS = 3_000;

/** How fresh something is, from best to worst. */
export type Freshness = 'live' | 'late' | 'stale';

export const FRESHNESS_ORDER: Record<Freshness, number> = { live: 0, late: 1, stale: 2 };

export function freshnessOf(ageMs: number | null, staleMs: number): Freshness {
  if (ageMs === null || !(ageMs <= staleMs)) return 'stale';
  return ageMs <= VALUE_LIVE_MAX_MS ? 'live' : 'late';
}

/** The worse of two. */
export function worse(one: Freshness, other: Freshness): Freshness {
  return FRESHNESS_ORDER[one] >= FRESHNESS_ORDER[other] ? one : other;
}
