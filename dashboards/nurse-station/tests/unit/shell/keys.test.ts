// What keys do, and when they do nothing.
import { describe, expect, test } from 'vitest';

import { actionOf, moved, type Pressed } from '../../../src/shell/keys';

const press = (key: string, more: Partial<Pressed> = {}): Pressed => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  repeat: false,
  ...more,
});

describe('a key', () => {
  test.each([
    ['a', 'alarms'],
    ['A', 'alarms'],
    ['p', 'pause'],
    ['t', 'trends'],
    ['Escape', 'back'],
    ['?', 'help'],
    ['ArrowLeft', 'left'],
  ])('%s means %s', (key, action) => {
    expect(actionOf(press(key), false, false)).toBe(action);
  });

  test.each(['Enter', 'Tab', 'F5', 'x', ' '])('%s is left to the browser', (key) => {
    expect(actionOf(press(key), false, false)).toBeNull();
  });

  test('means nothing with Ctrl, Alt or Meta: these are the browser’s', () => {
    for (const more of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }]) {
      expect(actionOf(press('p', more), false, false)).toBeNull();
    }
  });

  test('that is held pauses once, and goes on moving', () => {
    expect(actionOf(press('p', { repeat: true }), false, false)).toBeNull();
    expect(actionOf(press('ArrowUp', { repeat: true }), false, false)).toBe('up');
  });

  test('that is written into a field is a letter; only Escape leads out', () => {
    expect(actionOf(press('p'), true, false)).toBeNull();
    expect(actionOf(press('ArrowLeft'), true, false)).toBeNull();
    expect(actionOf(press('Escape'), true, false)).toBe('back');
  });

  test('belongs to a dialog while one is open', () => {
    for (const key of ['p', 'Escape', 'a', 'ArrowUp']) expect(actionOf(press(key), false, true)).toBeNull();
  });
});

describe('an arrow', () => {
  test.each([
    [0, 'right', 1],
    [0, 'left', 0],
    [0, 'up', 0],
    [0, 'down', 4],
    [3, 'right', 3],
    [5, 'up', 1],
    [9, 'right', 9],
    [6, 'down', 6],
    [5, 'down', 9],
  ] as const)('from place %d %s leads to %d of ten in four columns', (from, direction, to) => {
    expect(moved(from, direction, 4, 10)).toBe(to);
  });
});
