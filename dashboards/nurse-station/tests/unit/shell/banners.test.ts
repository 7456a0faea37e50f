// Which banners stand over the screens.
import { expect, test } from 'vitest';

import type { LinkState } from '../../../src/model/picture';
import { bannersOf, connectingMaxMs } from '../../../src/shell/banners';
import { pictureWith, tileWith } from '../../fixture/pictures';

const kinds = (state: LinkState): string[] =>
  bannersOf(pictureWith([tileWith(0)], state)).map(({ kind, look }) => `${kind} ${look}`);

test('a connected display has none', () => {
  expect(kinds('synced')).toEqual([]);
});

test.each([
  ['lost', 'lost red'],
  ['telemetry-only', 'telemetry-only red'],
  ['alarms-only', 'alarms-only red'],
  ['delayed', 'delayed yellow'],
  ['mismatch', 'mismatch yellow'],
  ['changed', 'changed grey'],
] as const)('%s has its own', (state, banner) => {
  expect(kinds(state)).toEqual([banner]);
});

test('a gateway that is looked for too long is lost', () => {
  const picture = pictureWith([], 'connecting');
  const after = (sinceMs: number) => bannersOf({ ...picture, link: { ...picture.link, sinceMs } })[0]?.kind;
  expect(after(connectingMaxMs - 1)).toBe('connecting');
  expect(after(connectingMaxMs)).toBe('lost');
});

test('what makes the picture wrong stands above what only reduces it', () => {
  const picture = pictureWith([tileWith(0)], 'delayed', {
    local: [
      { kind: 'clock-off', priority: 'low' },
      { kind: 'worker-lost', priority: 'high' },
    ],
  });
  expect(bannersOf(picture).map(({ kind }) => kind)).toEqual(['worker-lost', 'delayed', 'clock-off']);
});
