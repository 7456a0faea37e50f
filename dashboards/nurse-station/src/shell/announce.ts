// What a screen reader is told of alarms: each new call once, high ones at once, the others in a while. Pure.
import type { AlarmRow } from '../model/picture';

/** What is said at most once in this time, in ms, besides high alarms. */
export const politeEveryMs = 5000;

/** Rows of one announcement; of more only the number is said. */
export const rowsMax = 3;

export interface Announced {
  /** Calls that were said, by row. */
  said: ReadonlyMap<string, number>;
  politeAtMs: number;
}

export interface Announcement {
  assertive: AlarmRow[];
  polite: AlarmRow[];
  /** Rows that are new and are not said one by one. */
  more: number;
  next: Announced;
}

export const nothingAnnounced: Announced = { said: new Map(), politeAtMs: Number.NEGATIVE_INFINITY };

/** What is to be said now. A row that calls again is new again; one that has gone is forgotten. */
export function announce(before: Announced, rows: readonly AlarmRow[], nowMs: number): Announcement {
  const isNew = (row: AlarmRow): boolean => row.signals && before.said.get(row.key) !== row.call;
  const fresh = rows.filter(isNew);
  const high = fresh.filter((row) => row.priority === 'high');
  const others = fresh.filter((row) => row.priority !== 'high' && row.priority !== 'information');
  const mayPolite = nowMs - before.politeAtMs >= politeEveryMs;
  const polite = mayPolite ? others.slice(0, rowsMax) : [];
  const assertive = high.slice(0, rowsMax);
  const held = new Set(mayPolite ? [] : others.map((row) => row.key));
  const said = rows
    .filter((row) => row.signals && !held.has(row.key))
    .map((row) => [row.key, row.call] as const);
  return {
    assertive,
    polite,
    more: high.length - assertive.length + (mayPolite ? others.length - polite.length : 0),
    next: { said: new Map(said), politeAtMs: polite.length > 0 ? nowMs : before.politeAtMs },
  };
}
