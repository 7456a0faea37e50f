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

/** Keys of the rows that a person can read on a screen; `inView` are those of its lists that lie within the window. */
export function seenOn(
  picture: Picture,
  route: Route,
  inView: ReadonlySet<string>,
  asked: number | null,
  screen: number,
): Set<string> {
  const seen = new Set(rowsOfBar(picture).map((row) => row.key));
  if (route.screen === 'overview') {
    const tiles = shownTiles(picture, asked, screen).tiles.flatMap((tile) => rowsOfTile(tile));
    for (const row of [...systemRows(picture).slice(0, rowsOfSystem), ...tiles]) seen.add(row.key);
  }
  if (route.screen === 'alarms' || route.screen === 'pump') for (const key of inView) seen.add(key);
  return seen;
}
