// A picture that has waited for its paint: as long as that, everything in it is older, and after 3 s nothing is known.

import { LOST_AFTER_MS } from './lane';
import type { AlarmRow, Picture, Tile, Value } from './picture';
import { VALUE_LIVE_MAX_MS } from './freshness';

/** A picture is painted four times a second: what has waited for less is as old as it says. */
const ORDINARY_MS = 400;

/** The worker answers within some milliseconds: a picture that waited for longer is told as delayed. */
export const OVERDUE_MS = 1_000;

/** A worker that has not answered for longer is lost, and with it everything. */
export const WORKER_LOST_MS = 3_000;

/** The picture as it may be shown so long after the question that it answers. */
export function agedPicture(picture: Picture, waitedMs: number): Picture {
  if (waitedMs <= ORDINARY_MS) return picture;
  const isSilent = (picture.link.silenceMs ?? 0) + waitedMs > LOST_AFTER_MS;
  if (waitedMs <= OVERDUE_MS && !isSilent) return { ...picture, ...agedTiles(picture, waitedMs, agedABit) };
  return waitedMs > WORKER_LOST_MS || isSilent ? lost(picture, waitedMs) : delayed(picture, waitedMs);
}

function delayed(picture: Picture, waitedMs: number): Picture {
  const { link } = picture;
  const isWhole = link.state === 'synced' || link.state === 'changed' || link.state === 'mismatch';
  const delayMs = Math.max(link.delayMs, waitedMs);
  const { tiles, bar } = agedTiles(picture, waitedMs, agedValue);
  return {
    ...picture,
    link: { ...link, state: isWhole ? 'delayed' : link.state, delayMs },
    bar: { ...bar, live: 0, quietPumps: null },
    tiles: tiles.map((tile) => (tile.data === 'live' ? { ...tile, data: 'late' } : tile)),
  };
}

function agedTiles(
  picture: Picture,
  waitedMs: number,
  aged: (value: Value, waitedMs: number, staleMs: number) => Value,
): Pick<Picture, 'tiles' | 'bar'> {
  const tiles = picture.tiles.map((tile): Tile => {
    const ageMs = tile.ageMs === null ? null : tile.ageMs + waitedMs;
    const isShown = tile.data === 'live' || tile.data === 'late';
    const data = isShown ? dataAt(tile.data, ageMs, picture.staleMs) : tile.data;
    return {
      ...tile,
      data,
      ageMs,
      values: tile.values.map((value) => aged(value, waitedMs, picture.staleMs)),
    };
  });
  const live = tiles.filter(({ data }) => data === 'live').length;
  const withoutData = tiles.filter(({ data }) => data !== 'live' && data !== 'late').length;
  const quietPumps = live < picture.bar.live ? null : picture.bar.quietPumps;
  return { tiles, bar: { ...picture.bar, live, withoutData, quietPumps } };
}

function dataAt(data: Tile['data'], ageMs: number | null, staleMs: number): Tile['data'] {
  if (ageMs === null || ageMs > staleMs) return 'stale';
  return ageMs > VALUE_LIVE_MAX_MS ? 'late' : data;
}

/** Only what passes a bound by it is another one; a channel that is slow by nature was older than that before. */
function agedABit(value: Value, waitedMs: number, staleMs: number): Value {
  const { state, ageMs } = value;
  if (ageMs === null || ageMs > staleMs) return value;
  if (ageMs + waitedMs > staleMs) return agedValue(value, waitedMs, staleMs);
  const isNow = state === 'live' || state === 'standby';
  return {
    ...value,
    state: isNow && ageMs + waitedMs > VALUE_LIVE_MAX_MS ? 'late' : state,
    ageMs: ageMs + waitedMs,
  };
}

function agedValue(value: Value, waitedMs: number, staleMs: number): Value {
  const { state, value: number } = value;
  const ageMs = value.ageMs === null ? null : value.ageMs + waitedMs;
  if (state !== 'live' && state !== 'late' && state !== 'standby') return { ...value, ageMs };
  if (ageMs !== null && ageMs <= staleMs) return { ...value, state: 'late', ageMs };
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
