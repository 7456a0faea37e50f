// Which screen an address means. Pure.

export type Route =
  | { screen: 'overview' }
  | { screen: 'pump'; ward: string; pump: string }
  | { screen: 'alarms' }
  | { screen: 'trends'; ward: string; pump: string }
  | { screen: 'settings'; tab: string };

function part(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? '');
  } catch {
    // An address that a person has mistyped is no reason for an empty screen.
    return text ?? '';
  }
}

/** The screen of a hash such as `#/pump/nicu/ecmo-1`; the overview for all that is not known. */
export function routeOf(hash: string): Route {
  const [screen, first, second] = hash.replace(/^#?\/?/, '').split('/');
  switch (screen) {
    case 'pump':
      return first && second ? { screen, ward: part(first), pump: part(second) } : { screen: 'overview' };
    case 'alarms':
      return { screen };
    case 'trends':
      return { screen, ward: part(first), pump: part(second) };
    case 'settings':
      return { screen, tab: part(first) };
    default:
      return { screen: 'overview' };
  }
}

/** The hash of a screen. */
export function hashOf(route: Route): string {
  const parts = [encodeURIComponent(route.screen)];
  if (route.screen === 'overview') return '#/';
  if (route.screen === 'settings' && route.tab !== '') parts.push(encodeURIComponent(route.tab));
  if ((route.screen === 'pump' || route.screen === 'trends') && route.pump !== '') {
    parts.push(encodeURIComponent(route.ward), encodeURIComponent(route.pump));
  }
  return `#/${parts.join('/')}`;
}
