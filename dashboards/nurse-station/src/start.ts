// Puts the page together: worker, paint loop, lease, guards.

import type { Act } from './act/act';
import type { Door } from './act/door';
import { stayAwake } from './attend/awake';
import type { Health } from './attend/health';
import { sayGoodbye } from './attend/leave';
import { guardTabs } from './attend/tabs';
import { emptyPicture } from './model/empty';
import type { Picture } from './model/picture';
import { Store } from './store.svelte';
import { Client } from './work/client';
import { Host } from './work/host';
import { Paint } from './work/paint';
import type { FromWorker } from './work/protocol';
import type { Station } from './work/station';

/** How long a page of another build waits before it loads itself anew, without any alarm. */
const RELOAD_MS = 10_000;

/** Longest name of a display that the address may give. */
const DISPLAY_MAX = 32;

/** Everything that the screens are given. */
export interface Started {
  store: Store;
  act: Act;
  door: Door;
  station: Station;
  health: Health;
}

export function start(): Started {
  const query = new URLSearchParams(location.search);
  const ward = query.get('ward');
  const display =
    query.get('display')?.slice(0, DISPLAY_MAX) ?? `station-${Math.random().toString(36).slice(2, 10)}`;
  const store = new Store();
  const reload = reloader();
  const show = (picture: Picture): void => {
    store.picture = picture;
    reload(picture);
  };
  let gateway = location.origin;
  const take = (data: FromWorker): void => {
    if (data.from === 'picture') paint.take(data);
    else if (data.from === 'answer') client.answer(data);
    else gateway = data.url;
  };
  const { origin, href: page } = location;
  const begin = {
    to: 'begin',
    origin,
    page,
    build: __BUILD__,
    contract: __CONTRACT__,
    display,
    ward,
  } as const;
  const host = new Host(begin, take);
  const client = new Client(host.post);
  const onDead = (): void => {
    host.restart();
    store.generation += 1;
  };
  const wards = ward === null ? [] : [ward];
  const paint = new Paint({ post: host.post, show, onDead, empty: emptyPicture(0), wards });
  paint.start();
  stayAwake();
  guardTabs((resting) => {
    paint.setResting(resting);
  });
  addEventListener('pagehide', () => {
    sayGoodbye(gateway, display);
  });
  const station = client.station(
    () => store.generation,
    () => {
      paint.acknowledgeLoss();
    },
  );
  return { store, act: client.act(), door: client.door(), station, health: paint };
}

/** Loads the page anew when the gateway serves another one, once for each, and never while there is an alarm. */
function reloader(): (picture: Picture) => void {
  let since: number | null = null;
  return ({ atMs, link, alarms }) => {
    const served = link.mismatch?.gateway ?? null;
    const isCalm = served !== null && served !== '?' && link.state === 'mismatch' && alarms.length === 0;
    since = isCalm ? (since ?? atMs) : null;
    if (since === null || served === null || atMs - since < RELOAD_MS) return;
    since = null;
    if (sessionStorage.getItem('reloaded-for') === served) return;
    sessionStorage.setItem('reloaded-for', served);
    location.reload();
  };
}
