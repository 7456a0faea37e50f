// The order and the filter of the alarm centre, and which rows have just moved under somebody's finger. Pure.
import type { AlarmRow, Priority } from '../model/picture';

/** What the filter lets through. */
export interface Filter {
  /** "WARD/PUMP"; empty for all. */
  pump: string;
  /** Least priority. */
  priority: Priority;
  kind: 'all' | AlarmRow['kind'];
  text: string;
}

export const noFilter: Filter = { pump: '', priority: 'information', kind: 'all', text: '' };

const ranks: Readonly<Record<Priority, number>> = { high: 3, medium: 2, low: 1, information: 0 };

/** How urgent a priority is; the greater the more urgent. */
export function rank(priority: Priority): number {
  return ranks[priority];
}

/** "WARD/PUMP" of a row; the gateway's own conditions have none. */
export function pumpKey(row: AlarmRow): string {
  return row.pump === '' ? '' : `${row.ward}/${row.pump}`;
}

/** Whether a filter lets a row through. `words` are what a person may look for: name and label in their language. */
export function fits(filter: Filter, row: AlarmRow, words: readonly string[]): boolean {
  if (filter.pump !== '' && pumpKey(row) !== filter.pump) return false;
  if (rank(row.priority) < rank(filter.priority)) return false;
  if (filter.kind !== 'all' && row.kind !== filter.kind) return false;
  const wanted = filter.text.trim().toLowerCase();
  if (wanted === '') return true;
  const searched = [row.bed, row.ward, row.pump, row.condition, row.rule, row.ackBy, ...words];
  return searched.some((each) => each.toLowerCase().includes(wanted));
}

/** Unacknowledged first, then by priority, then the newest first; alike ones by key, so that they stay in place. */
export function ordered(rows: readonly AlarmRow[]): AlarmRow[] {
  const newest = (row: AlarmRow): number => -(row.sinceMs ?? Number.MAX_SAFE_INTEGER);
  return [...rows].sort(
    (a, b) =>
      Number(b.signals) - Number(a.signals) ||
      rank(b.priority) - rank(a.priority) ||
      // Ages of two rows grow alike: their difference is that of their onsets, to the millisecond.
      Math.round(newest(b) - newest(a)) ||
      (a.key < b.key ? -1 : 1),
  );
}

/** Where each row stood, and since when it has stood there, by the page's performance.now(). */
export type Places = ReadonlyMap<string, { place: number; sinceMs: number }>;

/** The places of the rows now; one that is elsewhere than before has stood there since now. */
export function placed(before: Places, keys: readonly string[], nowMs: number): Places {
  return new Map(
    keys.map((key, place) => {
      const was = before.get(key);
      return [key, was?.place === place ? was : { place, sinceMs: nowMs }] as const;
    }),
  );
}

/** For so long after a row has moved a press on it is taken for one that was meant for another row, in ms. */
export const SETTLE_MS = 400;

/** Whether a row has just come to its place: a press on it may have been meant for the one before. */
export function hasJustMoved(places: Places, key: string, nowMs: number): boolean {
  const at = places.get(key);
  return at === undefined || nowMs - at.sinceMs < SETTLE_MS;
}

/** State of a row as one word for tests and style: what is last known comes first. */
export function rowState(row: AlarmRow): 'active' | 'acknowledged' | 'latched' | 'ended' | 'last-known' {
  return row.lastKnown && row.state !== 'ended' ? 'last-known' : row.state;
}

/** Whether what a person saw still covers what is there: an acknowledgement of an older revision is refused. */
export function isCovered(shownRevision: number, now: AlarmRow | undefined): boolean {
  return now !== undefined && now.state !== 'ended' && shownRevision >= now.coversFrom;
}
