// What a key means on every screen. Pure.

export type KeyAction = 'alarms' | 'pause' | 'trends' | 'settings' | 'back' | 'help' | Direction;
export type Direction = 'left' | 'right' | 'up' | 'down';

/** The part of a keyboard event that decides. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  repeat: boolean;
}

const actions: Readonly<Record<string, KeyAction>> = {
  a: 'alarms',
  p: 'pause',
  t: 'trends',
  s: 'settings',
  escape: 'back',
  '?': 'help',
  arrowleft: 'left',
  arrowright: 'right',
  arrowup: 'up',
  arrowdown: 'down',
};

/** Held keys go on moving, and do nothing else again and again. */
const repeats: readonly KeyAction[] = ['left', 'right', 'up', 'down'];

/** The action of a key; null when the page leaves it to the browser, or when a person is writing or answers a dialog. */
export function actionOf(pressed: Pressed, isWriting: boolean, isDialogOpen: boolean): KeyAction | null {
  if (isDialogOpen || pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null;
  const action = actions[pressed.key.toLowerCase()] ?? null;
  if (action === null || (pressed.repeat && !repeats.includes(action))) return null;
  return isWriting && action !== 'back' ? null : action;
}

/** Where an arrow leads in a grid of `count` places: it stays at the edge. */
export function moved(place: number, direction: Direction, columns: number, count: number): number {
  const column = place % columns;
  switch (direction) {
    case 'left':
      return column > 0 ? place - 1 : place;
    case 'right':
      return column < columns - 1 && place + 1 < count ? place + 1 : place;
    case 'up':
      return place >= columns ? place - columns : place;
    case 'down':
      return place + columns < count ? place + columns : place;
  }
}
