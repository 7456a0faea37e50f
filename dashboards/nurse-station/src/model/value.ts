// Finds the value of a parameter in a tile. No part of the wire is read here: screens use it.

import type { Tile, Value, ValueState } from './picture';

/** The value of a parameter, also of one that the pump does not deliver. */
export function valueOf(tile: Tile, parameter: string): Value {
  const found = tile.values.find((value) => value.parameter === parameter);
  if (found !== undefined) return found;
  // Without a reading at all nobody knows what is fitted.
  const nothing: ValueState = tile.data === 'never-seen' ? 'never-seen' : 'stale';
  const state = tile.values.length === 0 ? nothing : 'not-fitted';
  const none = {
    value: null,
    reason: null,
    ageMs: null,
    last: null,
    low: null,
    high: null,
    crossed: null,
    alarm: null,
  };
  return { parameter, unit: '', state, ...none };
}
