// Puts the page together: worker, paint loop, lease, guards.

import type { Act } from './act/act';
import { stayAwake } from './attend/awake';
import type { Health } from './attend/health';
import { sayGoodbye } from './attend/leave';
import { guardTabs } from './attend/tabs';
import { emptyPicture } from './model/empty';
import type { Picture } from './model/picture';
import { Store } from './store.svelte';
import { Client } from './work/client';
import { Paint } from './work/paint';
import type { FromWorker, ToWorker } from './work/protocol';
import type { Station } from './work/station';

/** How long a page of another build waits before it loads itself anew, without any alarm. */
const RELOAD_MS = 10_000;

/** Longest name of a display that the address may give. */
const DISPLAY_MAX = 32;

/** Everything that the screens are given. */
export interface Started {
  store: Store;
  act: Act;
  station: Station;
  health: Health;
}

export function start(): Started {
  const query = new URLSearchParams(location.search);
  const ward = query.get('ward');
  const display =
    query.get('display')?.slice(0, DISPLAY_MAX) ?? `station-${Math.random().toString(36).slice(2, 10)}`;
  const store = new Store();
  const worker = new Worker(new URL('./work/worker.ts', import.meta.url), { type: 'module' });
  const post = (message: ToWorker, transfer: Transferable[] = []): void => {
    worker.postMessage(message, transfer);
  };
  const client = new Client(post);
  const reload = reloader();
  const show = (picture: Picture): void => {
    store.picture = picture;
    reload(picture);
  };
  const paint = new Paint({ post, show, empty: emptyPicture(0), wards: ward === null ? [] : [ward] });
  let gateway = location.origin;
  worker.onmessage = ({ data }: MessageEvent<FromWorker>): void => {
    if (data.from === 'picture') paint.take(data);
    else if (data.from === 'answer') client.answer(data);
    else gateway = data.url;
  };
  post({
    to: 'begin',
    origin: location.origin,
    page: location.href,
    build: __BUILD__,
    contract: __CONTRACT__,
    display,
    ward,
  });
  paint.start();
  stayAwake();
  guardTabs((resting) => {
    paint.setResting(resting);
  });
  addEventListener('pagehide', () => {
    sayGoodbye(gateway, display);
  });
  const station = client.station(() => {
    paint.acknowledgeLoss();
  });
  return { store, act: client.act(), station, health: paint };
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
