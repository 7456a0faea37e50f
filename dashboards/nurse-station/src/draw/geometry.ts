// Where a moment and a value lie on a sweep: a window of time that is written over again from the left.

/** A sweep that `spanMs` of time fill once. Widths and heights in device pixels. */
export interface Sweep {
  spanMs: number;
  widthPx: number;
  /** What is blank before the pen. */
  erasePx: number;
}

/** A range of columns, `from` < `to`, that does not wrap. */
export interface Stretch {
  from: number;
  to: number;
}

/** The values at the lower and the upper edge of a lane. */
export interface Scale {
  low: number;
  high: number;
}

/** The rows of a lane: `top` and `height`, with `margin` free above and below. */
export interface Lane {
  top: number;
  height: number;
  margin: number;
}

/** The column of a moment, 0 <= x < width. */
export function columnOf(timeMs: number, sweep: Sweep): number {
  const within = ((timeMs % sweep.spanMs) + sweep.spanMs) % sweep.spanMs;
  return (within / sweep.spanMs) * sweep.widthPx;
}

/** Which lap of the sweep a moment is in: the pen goes back to the left where it changes. */
export function lapOf(timeMs: number, sweep: Sweep): number {
  return Math.floor(timeMs / sweep.spanMs);
}

/** When the lap of a moment ends, in ms. */
export function lapEnd(timeMs: number, sweep: Sweep): number {
  return (lapOf(timeMs, sweep) + 1) * sweep.spanMs;
}

/** The columns between two moments; two stretches where the time between them wraps, all columns after a whole lap. */
export function stretches(fromMs: number, toMs: number, sweep: Sweep): Stretch[] {
  if (!(toMs > fromMs)) return [];
  if (toMs - fromMs >= sweep.spanMs) return [{ from: 0, to: sweep.widthPx }];
  const [from, to] = [columnOf(fromMs, sweep), columnOf(toMs, sweep)];
  if (lapOf(fromMs, sweep) === lapOf(toMs, sweep)) return from < to ? [{ from, to }] : [];
  const parts = [
    { from, to: sweep.widthPx },
    { from: 0, to },
  ];
  return parts.filter((part) => part.from < part.to);
}

/** The columns that are blank before a pen at `penMs`. */
export function eraseAhead(penMs: number, sweep: Sweep): Stretch[] {
  const gapMs = (Math.min(sweep.erasePx, sweep.widthPx) / sweep.widthPx) * sweep.spanMs;
  return stretches(penMs, penMs + gapMs, sweep);
}

/** The row of a value, downwards. What lies beyond the scale stays on its edge: a saturated trace is seen as one. */
export function rowOf(value: number, scale: Scale, lane: Lane): number {
  const part = (value - scale.low) / (scale.high - scale.low);
  const inside = Math.min(1, Math.max(0, part));
  return lane.top + lane.margin + (1 - inside) * (lane.height - 2 * lane.margin);
}

/** Divides a height among `count` lanes with `gap` between them. */
export function lanesOf(heightPx: number, count: number, gap: number, margin: number): Lane[] {
  const height = Math.floor((heightPx - gap * (count - 1)) / count);
  return Array.from({ length: count }, (_, at) => ({ top: at * (height + gap), height, margin }));
}
