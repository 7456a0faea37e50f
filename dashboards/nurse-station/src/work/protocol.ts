// What the page and its worker say to each other.

import type { Act } from '../act/act';
import type { Door } from '../act/door';
import type { AudioOutput } from '../attend/health';
import type { LocalNotice, Picture } from '../model/picture';
import type { Station, SurfaceLook, SweepOptions, SweepPlace } from './station';

/** What of the page goes with a picture that was painted. */
export interface PaintedHealth {
  framesPerSecond: number;
  /** From the arrival of a picture to the glass, the worst of late; ms. */
  lagMs: number;
  audio: AudioOutput;
  visible: boolean;
  /** Rows that a person could see, by key; null for all. */
  keys: string[] | null;
}

/** Everything of Act, Door and Station that answers: asked by name. */
type Asked = Act & Door & Pick<Station, 'trend' | 'strip' | 'history' | 'device'>;
export type CallName = keyof Asked;

export type ToWorker =
  | {
      to: 'begin';
      origin: string;
      page: string;
      build: string;
      contract: string;
      display: string;
      ward: string | null;
    }
  /** Asks for a picture: its answer is no older than the question. */
  | { to: 'ask'; number: number; ownWallMs: number; notices: LocalNotice[] }
  | { to: 'painted'; picture: number; health: PaintedHealth }
  /** The page paints nothing now: it is hidden. */
  | { to: 'hidden'; audio: AudioOutput }
  | { to: 'call'; number: number; name: CallName; args: unknown[] }
  | { to: 'surface'; number: number; canvas: OffscreenCanvas; look: SurfaceLook }
  | { to: 'surface-look'; number: number; look: SurfaceLook }
  | { to: 'surface-end'; number: number }
  | { to: 'sweep'; number: number; surface: number; options: SweepOptions }
  | { to: 'sweep-place'; number: number; place: SweepPlace }
  | { to: 'sweep-colours'; number: number; colours: { lanes: string[]; ground: string; hatch: string } }
  | { to: 'sweep-freeze'; number: number; frozen: boolean }
  | { to: 'sweep-end'; number: number }
  | { to: 'forget-missed' }
  | { to: 'acknowledge-loss' }
  /** Another tab holds the streams of this browser: this one lets go of its own. */
  | { to: 'rest'; resting: boolean };

export type FromWorker =
  /** `asked` is the newest question that had come: the picture is no older than that. */
  | { from: 'picture'; number: number; asked: number; picture: Picture }
  | { from: 'answer'; number: number; value: unknown }
  /** Where goodbye is said when the page is closed. */
  | { from: 'gateway'; url: string };
