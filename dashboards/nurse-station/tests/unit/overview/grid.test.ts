// Places of the tiles, and which alarms can be read on a screen.
import { describe, expect, test } from 'vitest';

import { gridFor, placesOf, screenOf, shownTiles } from '../../../src/overview/grid';
import { rowsOnTile, seenOn } from '../../../src/overview/seen';
import { pictureWith, rowWith, tileWith } from '../../fixture/pictures';

const calm = (count: number) => pictureWith(Array.from({ length: count }, (_, place) => tileWith(place)));

describe('the grid', () => {
  test.each([
    [0, 2, 2, false],
    [1, 2, 2, false],
    [4, 2, 2, false],
    [5, 3, 3, false],
    [9, 3, 3, false],
    [10, 4, 4, false],
    [16, 4, 4, false],
    [17, 6, 5, true],
    [30, 6, 5, true],
  ])('for %d pumps is %d by %d', (pumps, columns, rows, dense) => {
    expect(gridFor(pumps, null)).toEqual({ columns, rows, dense, screens: 1 });
  });

  test('for more than thirty has further screens', () => {
    expect(gridFor(31, null).screens).toBe(2);
  });

  test('of a display with its own screen has sixteen in the usual size', () => {
    expect(gridFor(30, 2)).toEqual({ columns: 4, rows: 4, dense: false, screens: 2 });
  });
});

test.each([
  ['?screen=2', 2],
  ['', null],
  ['?screen=0', null],
  ['?screen=1.5', null],
  ['?screen=x', null],
])('the address %j asks for screen %s', (search, screen) => {
  expect(screenOf(search)).toBe(screen);
});

test('a screen that does not exist shows the last one: never nothing', () => {
  const grid = gridFor(20, 2);
  expect(placesOf(grid, 7)).toEqual({ first: 16, end: 32 });
  expect(placesOf(grid, Number.NaN)).toEqual({ first: 0, end: 16 });
});

test('every pump is on one of the screens, and on one only', () => {
  for (const count of [1, 4, 9, 16, 17, 30, 31, 61]) {
    for (const asked of [null, 1]) {
      const picture = calm(count);
      const { screens } = gridFor(count, asked);
      const seen = Array.from(
        { length: screens },
        (_, at) => shownTiles(picture, asked, at + 1).tiles,
      ).flat();
      expect(seen.map((tile) => tile.place)).toEqual(Array.from({ length: count }, (_, place) => place));
    }
  }
});

test('a pump keeps its place when another one has gone', () => {
  const picture = calm(5);
  const without = { ...picture, tiles: picture.tiles.filter((tile) => tile.place !== 1) };
  expect(gridFor(5, null)).toEqual(shownTiles(without, null, 1).grid);
  expect(shownTiles(without, null, 1).tiles.map((tile) => tile.place)).toEqual([0, 2, 3, 4]);
});

describe('what can be read', () => {
  const none = new Set<string>();
  const alarms = Array.from({ length: 5 }, () => rowWith({ priority: 'low' }));
  const far = rowWith({ priority: 'low', pump: 'ecmo-20' });
  const own = rowWith({ priority: 'low', pump: '', gateway: 'east' });
  const tiles = Array.from({ length: 20 }, (_, place) =>
    tileWith(place, place === 0 ? { alarms } : place === 19 ? { alarms: [far] } : {}),
  );
  const picture = pictureWith(tiles, 'synced', { alarms: [own] });

  test('on the overview is not what a tile only counts', () => {
    const seen = seenOn(
      { ...picture, bar: { ...picture.bar, highest: null } },
      { screen: 'overview' },
      none,
      null,
      1,
    );
    expect(alarms.map((row) => seen.has(row.key))).toEqual(alarms.map((_, at) => at < rowsOnTile));
    expect(seen.has(own.key)).toBe(true);
  });

  test('on one screen of two is not what the other one shows', () => {
    const quiet = { ...picture, bar: { ...picture.bar, highest: null } };
    expect(seenOn(quiet, { screen: 'overview' }, none, 1, 1).has(far.key)).toBe(false);
    expect(seenOn(quiet, { screen: 'overview' }, none, 2, 2).has(far.key)).toBe(true);
  });

  test('on every screen is what the bar shows', () => {
    for (const screen of ['settings', 'trends'] as const) {
      const seen = seenOn(picture, { screen, tab: '', ward: '', pump: '' }, none, null, 1);
      expect(seen.has(picture.bar.highest?.key ?? '')).toBe(true);
      expect(seen.size).toBe(4);
    }
  });

  test('in a list is what lies within the window, besides the bar', () => {
    for (const route of [{ screen: 'alarms' }, { screen: 'pump', ward: 'nicu', pump: 'ecmo-20' }] as const) {
      const quiet = { ...picture, bar: { ...picture.bar, highest: null } };
      expect(seenOn(quiet, route, new Set([far.key]), null, 1)).toEqual(new Set([far.key]));
      expect(seenOn(quiet, route, none, null, 1)).toEqual(none);
    }
  });
});
