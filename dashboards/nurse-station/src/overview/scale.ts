// How large things are in a tile of a given size. Pure; told to the style sheet once for each size.

/** Tiles narrower than this, in CSS pixels, say times in short; and narrower ones leave out what is known by its place. */
const narrowPx = 400;
const slimPx = 360;

/** Lengths in CSS pixels; a hundredth of the height, or less where a tile is wide and low. */
export interface TileScale {
  unit: number;
  /** The same for a tile that has a line more below its head. */
  compactUnit: number;
  narrow: boolean;
  slim: boolean;
}

export function tileScale(width: number, height: number): TileScale {
  const byWidth = width / 200;
  return {
    unit: Math.min(height / 100, byWidth),
    compactUnit: Math.min((height * 0.93) / 100, byWidth),
    narrow: width <= narrowPx,
    slim: width <= slimPx,
  };
}

/** Keeps the style of a tile at its size until the answer is called. Units of the style sheet itself would lay out every tile twice for each digit. */
export function followSize(tile: HTMLElement): () => void {
  const watch = new ResizeObserver((entries) => {
    const size = entries.at(-1)?.contentRect;
    if (size === undefined) return;
    const { unit, compactUnit, narrow, slim } = tileScale(size.width, size.height);
    tile.style.setProperty('--unit', `${unit}px`);
    tile.style.setProperty('--unit-compact', `${compactUnit}px`);
    tile.classList.toggle('narrow', narrow);
    tile.classList.toggle('slim', slim);
  });
  watch.observe(tile);
  return () => {
    watch.disconnect();
  };
}
