// Which sweeps have nothing to show now. Pure.

import type { Picture } from '../model/picture';

/** Of which parameters nothing is known now; all of a pump that is not heard of. */
export function silentOf(picture: Picture): Map<string, ReadonlySet<string> | 'all'> {
  const silent = new Map<string, ReadonlySet<string> | 'all'>();
  for (const { key, data, values } of picture.tiles) {
    const isShown = data === 'live' || data === 'late';
    const unknown = values.filter(
      ({ state }) => state === 'stale' || state === 'invalid' || state === 'never-seen',
    );
    silent.set(key, isShown ? new Set(unknown.map(({ parameter }) => parameter)) : 'all');
  }
  return silent;
}
