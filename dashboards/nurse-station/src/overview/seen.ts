// Which alarms a person can read on a screen: only of these the display may say that it shows them. Pure.
import type { AlarmRow, Picture, Tile } from '../model/picture';
import type { Route } from '../shell/router';
import { shownTiles } from './grid';

/** Lines of alarms on a tile: one in its head, the others below it. */
export const rowsOnTile = 3;
/** Lines of alarms in the bar: a large one, the others small. */
export const rowsInBar = 4;
/** Lines of the gateways' own alarms above the tiles. */
export const rowsOfSystem = 4;

/** The alarms that a tile shows as text; of more it says how many there are. */
export function rowsOfTile(tile: Tile): AlarmRow[] {
  return tile.alarms.slice(0, rowsOnTile);
}

/** The alarms of the gateways themselves, which belong to no tile. */
export function systemRows(picture: Picture): AlarmRow[] {
  const shown = new Set(picture.tiles.flatMap((tile) => tile.alarms.map((row) => row.key)));
  return picture.alarms.filter((row) => !shown.has(row.key));
}

/** The alarms that the bar shows as text: the highest one first, then what else calls. */
export function rowsOfBar(picture: Picture): AlarmRow[] {
  const { highest } = picture.bar;
  if (highest === null) return [];
  const others = picture.alarms.filter((row) => row.signals && row.key !== highest.key);
  return [highest, ...others.slice(0, rowsInBar - 1)];
}

/** Keys of the rows that a person can read on a screen; null for all: the alarm centre lists them. */
export function seenOn(
  picture: Picture,
  route: Route,
  asked: number | null,
  screen: number,
): Set<string> | null {
  if (route.screen === 'alarms') return null;
  const rows = rowsOfBar(picture);
  if (route.screen === 'overview') {
    rows.push(...systemRows(picture).slice(0, rowsOfSystem));
    rows.push(...shownTiles(picture, asked, screen).tiles.flatMap((tile) => rowsOfTile(tile)));
  }
  if (route.screen === 'pump') {
    rows.push(...picture.alarms.filter((row) => row.ward === route.ward && row.pump === route.pump));
  }
  return new Set(rows.map((row) => row.key));
}
