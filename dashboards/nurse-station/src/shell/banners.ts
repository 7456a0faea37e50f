// Which banners stand over the screens, the most important first. Pure.
import type { LinkState, LocalNotice, Picture } from '../model/picture';

export type BannerKind = Exclude<LinkState, 'synced'> | LocalNotice['kind'];

/** red: look at the pumps. yellow: something is missing here. grey: to know. */
export interface Banner {
  kind: BannerKind;
  look: 'red' | 'yellow' | 'grey';
}

const links: Readonly<Record<LinkState, Banner['look'] | null>> = {
  lost: 'red',
  connecting: 'grey',
  'telemetry-only': 'red',
  'alarms-only': 'red',
  delayed: 'yellow',
  mismatch: 'yellow',
  changed: 'grey',
  synced: null,
};

const locals: Readonly<Record<LocalNotice['kind'], Banner['look']>> = {
  'worker-lost': 'red',
  'other-tab': 'red',
  'not-counted': 'yellow',
  unlisted: 'yellow',
  'no-sound': 'yellow',
  slow: 'yellow',
  reload: 'yellow',
  'clock-off': 'grey',
};

/** A gateway that is looked for longer than this is lost, in ms. */
export const connectingMaxMs = 10_000;

const order: readonly Banner['look'][] = ['red', 'yellow', 'grey'];

/** The banners of a picture. A new version says so once. */
export function bannersOf(picture: Picture): Banner[] {
  const { link, local } = picture;
  const isOverdue = link.state === 'connecting' && link.sinceMs >= connectingMaxMs;
  const kind: LinkState = isOverdue ? 'lost' : link.state;
  const look = links[kind];
  const banners: Banner[] = kind === 'synced' || look === null ? [] : [{ kind, look }];
  for (const notice of local) {
    if (notice.kind === 'reload' && kind === 'mismatch') continue;
    banners.push({ kind: notice.kind, look: locals[notice.kind] });
  }
  return banners.toSorted((a, b) => order.indexOf(a.look) - order.indexOf(b.look));
}
