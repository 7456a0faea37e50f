// Asks a gateway for what it has kept of a pump.

import type { TrendQuestion } from '../model/trend';
import { CALL_MS, type Gateway } from './gateway';
import type { AlarmRevision } from './gen/ecmo/v1/history_pb';
import type { QueryTrendResponse } from './gen/ecmo/v1/history_service_pb';

/** Bins of a trend: more than a plot has pixels are of no use. */
const BUCKETS = 720;

/** Revisions of alarms that are asked for; the newest of them. */
const REVISIONS_MAX = 1_000;

export interface Kept {
  trend: QueryTrendResponse;
  revisions: AlarmRevision[];
}

/** What is kept of the time before `toWallMs`; null when the gateway keeps nothing of this pump, or does not answer. */
export async function fetchKept(
  gateway: Gateway,
  { ward, pump, parameters, spanMs }: TrendQuestion,
  toWallMs: number,
): Promise<Kept | null> {
  const toWallNs = BigInt(Math.ceil(toWallMs)) * 1_000_000n;
  const range = { ward, pump, fromWallNs: toWallNs - BigInt(Math.ceil(spanMs)) * 1_000_000n, toWallNs };
  const options = { timeoutMs: CALL_MS };
  try {
    const [trend, { revisions }] = await Promise.all([
      gateway.history.queryTrend({ ...range, parameters, buckets: BUCKETS }, options),
      gateway.history.listAlarmHistory({ ...range, pageSize: REVISIONS_MAX }, options),
    ]);
    return { trend, revisions };
  } catch {
    // Without it the display has its own record, and says since when.
    return null;
  }
}
