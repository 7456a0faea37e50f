// The one clock of everything that flashes: all of the page is in one phase, by the time and not by when it appeared.

/** On and off as long as each other; 2 Hz and 0.625 Hz, both below three flashes a second. */
export const flashes = {
  high: { periodMs: 500 },
  medium: { periodMs: 1600 },
} as const;

export type Flashing = keyof typeof flashes;

/** Whether a moment is in the bright phase. */
export function isBright(which: Flashing, nowMs: number): boolean {
  const { periodMs } = flashes[which];
  return nowMs % periodMs < periodMs / 2;
}

/** Time until one of the phases changes, in ms; never 0. */
export function untilChange(nowMs: number): number {
  const left = Object.values(flashes).map(({ periodMs }) => {
    const half = periodMs / 2;
    return half - (nowMs % half);
  });
  return Math.max(1, Math.min(...left));
}

/** Marks the phases on an element, for the style sheet, until the answer is called. */
export function runFlash(root: HTMLElement): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const tick = (): void => {
    const now = performance.now();
    mark(root, 'flashHigh', isBright('high', now));
    mark(root, 'flashMedium', isBright('medium', now));
    timer = setTimeout(tick, untilChange(now));
  };
  tick();
  return () => clearTimeout(timer);
}

/** Written only when it changes: each writing has the style of the page looked at. */
function mark(root: HTMLElement, name: 'flashHigh' | 'flashMedium', isOn: boolean): void {
  const phase = isOn ? 'on' : 'off';
  if (root.dataset[name] !== phase) root.dataset[name] = phase;
}
