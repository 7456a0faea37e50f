// Addresses of the screens.
import { expect, test } from 'vitest';

import { hashOf, routeOf, type Route } from '../../../src/shell/router';

const routes: Route[] = [
  { screen: 'overview' },
  { screen: 'alarms' },
  { screen: 'pump', ward: 'nicu', pump: 'ecmo-01' },
  { screen: 'pump', ward: 'ward/2', pump: 'ä #1' },
  { screen: 'trends', ward: '', pump: '' },
  { screen: 'trends', ward: 'nicu', pump: 'ecmo-01' },
  { screen: 'settings', tab: '' },
  { screen: 'settings', tab: 'sound' },
];

test('every screen has an address that leads back to it', () => {
  for (const route of routes) expect(routeOf(hashOf(route))).toEqual(route);
});

test.each(['', '#', '#/', '#/nonsense', '#/pump', '#/pump/nicu', 'javascript:alert(1)'])(
  'the address %j leads to the overview',
  (hash) => {
    expect(routeOf(hash)).toEqual({ screen: 'overview' });
  },
);

test('an address with a broken escape is read as it is', () => {
  expect(routeOf('#/pump/nicu/%E0%A4%A')).toEqual({ screen: 'pump', ward: 'nicu', pump: '%E0%A4%A' });
});
