// The top bar: what it may say of all pumps together.

import type { AlarmRow, Bar, Priority, Tile } from './picture';
import type { Screen } from './screen';
import type { Whole } from './whole';

export function barOf(tiles: readonly Tile[], rows: readonly AlarmRow[], screen: Screen, whole: Whole): Bar {
  const shown = tiles.filter(({ data }) => data === 'live' || data === 'late');
  const counts: Record<Priority, number> = { high: 0, medium: 0, low: 0, information: 0 };
  for (const row of rows) {
    if (row.signals) counts[row.priority] += 1;
  }
  const alarming = rows.filter((row) => row.priority !== 'information');
  const unlisted = screen.links.reduce((sum, link) => sum + link.unlisted, 0);
  return {
    pumps: tiles.length,
    live: tiles.filter(({ data }) => data === 'live').length,
    withoutData: tiles.length - shown.length,
    counts,
    acknowledged: rows.filter(({ state }) => state === 'acknowledged').length,
    highest: alarming[0] ?? null,
    unacknowledgedMs: oldest(rows.filter((row) => row.signals && row.priority === 'high')),
    quietPumps: quiet(tiles, whole, unlisted),
    unreviewed: tiles.filter((tile) => tile.unreviewed).length,
    unlisted,
    missed: screen.missed.length,
    missedIncomplete: screen.missedIncomplete,
    pause: pauseOf(rows),
  };
}

function oldest(rows: readonly AlarmRow[]): number | null {
  return rows.reduce<number | null>((most, { sinceMs }) => {
    return sinceMs === null ? most : Math.max(most ?? 0, sinceMs);
  }, null);
}

/** Of how many pumps "no alarms" may be said: those that are live, without any alarm; of none where alarms may be missing. */
function quiet(tiles: readonly Tile[], { state }: Whole, unlisted: number): number | null {
  const isWhole = state === 'synced' || state === 'changed' || state === 'mismatch';
  if (!isWhole || unlisted > 0) return null;
  const isQuiet = ({ data, alarms, alarmsKnown }: Tile): boolean => {
    return data === 'live' && alarmsKnown && alarms.every(({ priority }) => priority === 'information');
  };
  return tiles.filter(isQuiet).length;
}

function pauseOf(rows: readonly AlarmRow[]): Bar['pause'] {
  const paused = rows.filter(({ audio }) => audio === 'paused');
  const longest = paused.reduce<AlarmRow | null>((best, row) => {
    return best === null || (row.audioLeftMs ?? 0) > (best.audioLeftMs ?? 0) ? row : best;
  }, null);
  if (longest === null) return null;
  return { leftMs: longest.audioLeftMs ?? 0, by: longest.audioBy, alarms: paused.length };
}
