// How large things are in a tile.
import { expect, test } from 'vitest';

import { tileScale } from '../../../src/overview/scale';

test.each([
  [480, 228, 2.28, 2.1204, false, false],
  [950, 450, 4.5, 4.185, false, false],
  [400, 300, 2, 2, true, false],
  [360, 150, 1.5, 1.395, true, true],
  [316, 175, 1.58, 1.58, true, true],
])('a tile of %d by %d px has the unit %d px', (width, height, unit, compactUnit, narrow, slim) => {
  const scale = tileScale(width, height);
  expect(scale.unit).toBeCloseTo(unit);
  expect(scale.compactUnit).toBeCloseTo(compactUnit);
  expect(scale).toMatchObject({ narrow, slim });
});

test('a tile without a size has no size of text either, and no NaN', () => {
  expect(tileScale(0, 0)).toEqual({ unit: 0, compactUnit: 0, narrow: true, slim: true });
});
