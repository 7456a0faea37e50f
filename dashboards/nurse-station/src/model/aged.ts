// A picture that has waited for its paint: as long as that, everything in it is older, and after 3 s nothing is known.

import type { AlarmRow, Picture, Tile, Value } from './picture';
import { VALUE_SHOWN_MAX_MS } from './pump';

/** The worker answers within some milliseconds: a picture that waited for longer is told as delayed. */
export const OVERDUE_MS = 1_000;

/** A worker that has not answered for longer is lost, and with it everything. */
export const WORKER_LOST_MS = 3_000;

/** The picture as it may be shown so long after the question that it answers. */
export function agedPicture(picture: Picture, waitedMs: number): Picture {
  if (waitedMs <= OVERDUE_MS) return picture;
  return waitedMs > WORKER_LOST_MS ? lost(picture, waitedMs) : delayed(picture, waitedMs);
}

function delayed(picture: Picture, waitedMs: number): Picture {
  const { link } = picture;
  const isWhole = link.state === 'synced' || link.state === 'changed' || link.state === 'mismatch';
  const delayMs = Math.max(link.delayMs, waitedMs);
  const tiles = picture.tiles.map((tile): Tile => {
    const values = tile.values.map((value) => agedValue(value, waitedMs));
    const ageMs = tile.ageMs === null ? null : tile.ageMs + waitedMs;
    const data = tile.data === 'live' || tile.data === 'late' ? dataAt(ageMs) : tile.data;
    return { ...tile, data, ageMs, values };
  });
  const live = 0;
  const withoutData = tiles.filter(({ data }) => data !== 'late').length;
  return {
    ...picture,
    link: { ...link, state: isWhole ? 'delayed' : link.state, delayMs },
    bar: { ...picture.bar, live, withoutData, quietPumps: null },
    tiles,
  };
}

function dataAt(ageMs: number | null): Tile['data'] {
  return ageMs !== null && ageMs <= VALUE_SHOWN_MAX_MS ? 'late' : 'stale';
}

function agedValue(value: Value, waitedMs: number): Value {
  const { state, value: number } = value;
  const ageMs = value.ageMs === null ? null : value.ageMs + waitedMs;
  if (state !== 'live' && state !== 'late' && state !== 'standby') return { ...value, ageMs };
  if (ageMs !== null && ageMs <= VALUE_SHOWN_MAX_MS) return { ...value, state: 'late', ageMs };
  return {
    ...staleValue(value),
    ageMs,
    last: number === null || ageMs === null ? value.last : { value: number, ageMs },
  };
}

function staleValue(value: Value): Value {
  return {
    ...value,
    state: value.state === 'not-fitted' ? 'not-fitted' : 'stale',
    value: null,
    reason: null,
  };
}

function lost(picture: Picture, waitedMs: number): Picture {
  const { link, bar } = picture;
  const rows = picture.alarms.map(unheard);
  const byKey = new Map(rows.map((row) => [row.key, row]));
  const tiles = picture.tiles.map((tile): Tile => {
    return {
      ...tile,
      data: 'unheard',
      pumpState: 'unknown',
      ageMs: tile.ageMs === null ? null : tile.ageMs + waitedMs,
      waitingMs: waitedMs,
      values: tile.values.map(staleValue),
      alarms: tile.alarms.map((row) => byKey.get(row.key) ?? unheard(row)),
      alarmsKnown: false,
      power: { mains: null, charge: null, minutesLeft: null },
    };
  });
  const lostAtWallMs = link.lostAtWallMs ?? link.wallMs;
  const highest = bar.highest === null ? null : unheard(bar.highest);
  return {
    ...picture,
    link: {
      ...link,
      state: 'lost',
      why: 'worker',
      sinceMs: waitedMs,
      wallMs: null,
      lostAtWallMs,
      delayMs: waitedMs,
    },
    bar: { ...bar, live: 0, withoutData: bar.pumps, quietPumps: null, highest },
    tiles,
    alarms: rows,
    sound: { ...picture.sound, play: link.lossAcknowledged ? 'lost-quiet' : 'lost', key: 'worker-lost' },
    local: [...picture.local, { kind: 'worker-lost', priority: 'high' }],
  };
}

function unheard(row: AlarmRow): AlarmRow {
  return { ...row, unheard: true, lastKnown: true, canAcknowledge: false };
}
