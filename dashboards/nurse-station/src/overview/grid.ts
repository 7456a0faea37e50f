// How many tiles stand side by side, and which of them a screen shows. Pure.
import type { Picture, Tile } from '../model/picture';

export interface Grid {
  columns: number;
  rows: number;
  /** More than sixteen: small print, for a large screen or a short distance. */
  dense: boolean;
  /** Screens that are needed to show every place. */
  screens: number;
}

/** Places of a screen that is read from a distance. */
export const usualPlaces = 16;
/** Places of a dense screen. */
export const densePlaces = 30;

/**
 * The grid for places 0 to `places` - 1. All are on one screen up to thirty, for a pump on another page is a pump that nobody
 * sees; a display that was given its own `screen` shows sixteen of them in the usual size.
 */
export function gridFor(places: number, screen: number | null): Grid {
  if (screen !== null && places > usualPlaces) return sized(4, 4, false, places);
  if (places <= 4) return sized(2, 2, false, places);
  if (places <= 9) return sized(3, 3, false, places);
  if (places <= usualPlaces) return sized(4, 4, false, places);
  return sized(6, 5, true, places);
}

function sized(columns: number, rows: number, dense: boolean, places: number): Grid {
  return { columns, rows, dense, screens: Math.max(1, Math.ceil(places / (columns * rows))) };
}

/** First and last place (exclusive) of a screen, counted from 1; a screen that does not exist shows the last one. */
export function placesOf(grid: Grid, screen: number): { first: number; end: number } {
  const shown = Math.min(Math.max(1, Math.trunc(screen) || 1), grid.screens);
  const each = grid.columns * grid.rows;
  return { first: (shown - 1) * each, end: shown * each };
}

/** The screen that an address asks for, such as `?screen=2`; null without one. */
export function screenOf(search: string): number | null {
  const asked = Number(new URLSearchParams(search).get('screen'));
  return Number.isInteger(asked) && asked >= 1 ? asked : null;
}

export interface Shown {
  grid: Grid;
  /** In the order of their places. */
  tiles: Tile[];
  first: number;
  /** Exclusive. */
  end: number;
}

/** What a screen of this display shows; `asked` is what its address asks for. */
export function shownTiles(picture: Picture, asked: number | null, screen: number): Shown {
  const places = picture.tiles.reduce((most, tile) => Math.max(most, tile.place + 1), 0);
  const grid = gridFor(places, asked);
  const { first, end } = placesOf(grid, screen);
  const tiles = picture.tiles.filter(({ place }) => place >= first && place < end);
  return { grid, tiles, first, end };
}
