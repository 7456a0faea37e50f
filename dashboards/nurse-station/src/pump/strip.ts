// The geometry of a printed strip: lines through what was measured, breaks where nothing was. Pure.
import type { Strip } from '../model/trend';

export interface StripLine {
  /** Points of each unbroken piece, as "x,y x,y"; a single sample is a piece of its own. */
  pieces: string[];
  /** Stretches without a measurement: from x to x. */
  gaps: { from: number; to: number }[];
  low: number;
  high: number;
}

const round = (number: number): number => Math.round(number * 10) / 10;

/** The range of the values, never empty; 0 to 1 without any. */
export function rangeOf(values: readonly (number | null)[]): { low: number; high: number } {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return { low: 0, high: 1 };
  const low = Math.min(...known);
  const high = Math.max(...known);
  const room = high > low ? (high - low) * 0.08 : Math.max(1, Math.abs(high) * 0.1);
  return { low: low - room, high: high + room };
}

/** The line of a strip in a box; y grows downwards. */
export function lineOf(strip: Strip, width: number, height: number): StripLine {
  const { low, high } = rangeOf(strip.values);
  const count = strip.values.length;
  const x = (index: number): number => round((index / Math.max(1, count - 1)) * width);
  const y = (value: number): number => round(height - ((value - low) / (high - low)) * height);
  const pieces: string[] = [];
  const gaps: { from: number; to: number }[] = [];
  let points: string[] = [];
  let gapFrom: number | null = null;
  const endPiece = (): void => {
    if (points.length > 0) pieces.push(points.join(' '));
    points = [];
  };
  strip.values.forEach((value, index) => {
    if (value === null) {
      endPiece();
      gapFrom ??= x(Math.max(0, index - 1));
      return;
    }
    if (gapFrom !== null) gaps.push({ from: gapFrom, to: x(index) });
    gapFrom = null;
    points.push(`${x(index)},${y(value)}`);
  });
  endPiece();
  if (gapFrom !== null) gaps.push({ from: gapFrom, to: width });
  return { pieces, gaps, low, high };
}
