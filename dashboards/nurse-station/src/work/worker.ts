// The worker: the streams, what is known, and the sweeps live here, so that a busy page delays none of them.

import { fetchSettings, ownOnly } from '../wire/settings';
import type { FromWorker, ToWorker } from './protocol';
import { Unit } from './unit';

/** How often it is looked whether something broke without a sign. */
const TICK_MS = 100;

/** News is told together when it comes together: at once, and then at most so often. An answer just before holds none up. */
const NEWS_MS = 5;
const NEWS_EVERY_MS = 50;

/** How often the gateway is asked which page it serves. */
const BUILD_EVERY_MS = 30_000;

/** One that could not be asked is asked again after this. */
const RETRY_MS = 5_000;

const now = (): number => performance.now();
const tell = (message: FromWorker): void => {
  postMessage(message);
};

type Begin = Extract<ToWorker, { to: 'begin' }>;

let asked = 0;
let newsAt = -Infinity;
let newsTimer: ReturnType<typeof setTimeout> | undefined;
/** What came before the settings were read. */
const early: ToWorker[] = [];
let unit: Unit | null = null;

onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  if (data.to === 'begin') void begin(data);
  else if (unit === null) early.push(data);
  else take(unit, data);
};

async function begin({ origin, page, build, contract, display, ward }: Begin): Promise<void> {
  const settings = (await fetchSettings(origin, page)) ?? ownOnly(origin);
  if (ward !== null) settings.ward = ward;
  let askTimer: ReturnType<typeof setTimeout> | undefined;
  const askIn = (ms: number): void => {
    clearTimeout(askTimer);
    askTimer = setTimeout(() => void again(), ms);
  };
  const onSpeaker = (): void => {
    askIn(0);
  };
  const made = new Unit({ settings, display, build, contract, now, onNews, onSpeaker });
  unit = made;
  made.know(settings);
  made.start();
  for (const message of early.splice(0)) take(made, message);
  let told = '';
  setInterval(() => {
    made.tick();
    if (told !== made.address()) tell({ from: 'gateway', url: (told = made.address()) });
  }, TICK_MS);
  const again = async (): Promise<void> => {
    const newer = await fetchSettings(origin, page);
    if (newer !== null) made.know(newer);
    const other = made.address();
    const told = other === origin ? newer : await fetchSettings(other, other);
    if (told !== null) made.noteContract(other, told.contract);
    askIn(newer === null || told === null ? RETRY_MS : BUILD_EVERY_MS);
  };
  askIn(RETRY_MS);
  const paint = (frameAt: number): void => {
    made.sweeps.paint(frameAt);
    requestAnimationFrame(paint);
  };
  requestAnimationFrame(paint);
}

function onNews(): void {
  newsTimer ??= setTimeout(
    () => {
      newsTimer = undefined;
      newsAt = now();
      if (unit !== null) tellPicture(unit);
    },
    Math.max(NEWS_MS, newsAt + NEWS_EVERY_MS - now()),
  );
}

function tellPicture(of: Unit): void {
  tell({ from: 'picture', asked, ...of.picture() });
}

function take(of: Unit, message: ToWorker): void {
  switch (message.to) {
    case 'begin':
      return;
    case 'ask':
      asked = message.number;
      of.asked(message.ownWallMs, message.notices);
      tellPicture(of);
      return;
    case 'painted':
      of.painted(message.picture, message.health);
      return;
    case 'hidden':
      of.hidden(message.audio);
      return;
    case 'call':
      void call(of, message);
      return;
    case 'surface':
      of.sweeps.open(message.number, message.canvas, message.look);
      return;
    case 'surface-look':
      of.sweeps.dress(message.number, message.look);
      return;
    case 'surface-end':
      of.sweeps.close(message.number);
      return;
    case 'sweep':
      of.sweeps.attach(message.number, message.surface, message.options);
      return;
    case 'sweep-place':
      of.sweeps.move(message.number, message.place);
      return;
    case 'sweep-colours':
      of.sweeps.palette(message.number, message.colours);
      return;
    case 'sweep-freeze':
      of.sweeps.freeze(message.number, message.frozen);
      return;
    case 'sweep-end':
      of.sweeps.detach(message.number);
      return;
    case 'forget-missed':
      of.forgetMissed();
      return;
    case 'acknowledge-loss':
      of.acknowledgeLoss();
      return;
    case 'rest':
      of.rest(message.resting);
  }
}

async function call(of: Unit, { number, name, args }: Extract<ToWorker, { to: 'call' }>): Promise<void> {
  const calls: Record<string, unknown> = { ...of.act, ...of.answers, ...of.session.door };
  const answer = calls[name];
  const value: unknown =
    typeof answer === 'function' ? await (answer as (...args: unknown[]) => unknown)(...args) : null;
  tell({ from: 'answer', number, value });
}
