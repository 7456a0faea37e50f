// A pump has its place, and keeps it.

import { describe, expect, it } from 'vitest';

import { Places } from '../../../src/model/places';

const pump = (key: string, bed = ''): { key: string; bed: string } => ({ key, bed });

describe('places', () => {
  it('go by bed, then by name, as people count; pumps without a bed come last', () => {
    const places = new Places();
    const found = places.of([pump('n/p10'), pump('n/p2'), pump('n/p1', 'Bed 10'), pump('n/p3', 'Bed 9')]);
    expect([...found].sort(([, one], [, other]) => one - other).map(([key]) => key)).toEqual([
      'n/p3',
      'n/p1',
      'n/p2',
      'n/p10',
    ]);
  });

  it('stay when a bed is named, when pumps come and when they go', () => {
    const places = new Places();
    places.of([pump('n/b'), pump('n/c')]);
    const later = places.of([pump('n/a'), pump('n/c', 'Bed 1')]);
    expect(Object.fromEntries(later)).toEqual({ 'n/b': 0, 'n/c': 1, 'n/a': 2 });
  });
});
