// The paint loop of the page: asks the worker for pictures, puts them in place, and says what is on the glass.

import { Pace } from '../attend/pace';
import type { AudioOutput, Health } from '../attend/health';
import { agedPicture, WORKER_LOST_MS } from '../model/aged';
import type { LocalNotice, Picture } from '../model/picture';
import { CONNECTING_QUIET_MS } from '../model/sound';
import type { FromWorker, ToWorker } from './protocol';

/** Ages and times left are painted four times a second. */
const PAINT_MS = 250;

/** A picture comes each time: the one before is painted anew, older by then, when none has come for so long. */
const REPAINT_MS = 400;

/** A page that is hidden is told once a second, by a timer: sound goes on. */
const HIDDEN_MS = 1_000;

/** Questions in turn without an answer, each asked by a page that runs itself, after which the worker is dead: 5 s. */
const DEAD_AFTER = 20;

/** Questions whose time is remembered. */
const QUESTIONS_MAX = 64;

type Told = Extract<FromWorker, { from: 'picture' }>;

export interface PaintSetting {
  post: (message: ToWorker) => void;
  show: (picture: Picture) => void;
  /** The worker is dead: another one is to begin. */
  onDead: () => void;
  empty: Picture;
  wards: readonly string[];
}

export class Paint implements Health {
  readonly wards: readonly string[];
  private readonly pace = new Pace();
  private readonly questions = new Map<number, number>();
  private asked = 0;
  /** The newest question that was answered, or asked of a worker that is dead. */
  private answered = 0;
  private askedAt = -Infinity;
  private shownAt = -Infinity;
  private told: { message: Told; at: number } | null = null;
  private isNew = false;
  /** Put in place in the last frame: on the glass when the next one begins. */
  private placed: { number: number; at: number } | null = null;
  private audio: AudioOutput = 'none';
  private keys: ReadonlySet<string> | null = null;
  private resting = false;
  private lossAcknowledged = false;
  private begun = performance.now();

  constructor(private readonly setting: PaintSetting) {
    this.wards = setting.wards;
  }

  setAudio(audio: AudioOutput): void {
    this.audio = audio;
  }

  setVisibleRows(keys: ReadonlySet<string> | null): void {
    this.keys = keys;
  }

  setResting(resting: boolean): void {
    this.resting = resting;
    this.setting.post({ to: 'rest', resting });
  }

  /** Also holds while the worker cannot be told. */
  acknowledgeLoss(): void {
    this.lossAcknowledged = true;
    this.setting.post({ to: 'acknowledge-loss' });
  }

  start(): void {
    // Always asked for: a page that hung shows how old everything is before anything else.
    const frame = (): void => {
      this.frame(performance.now());
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    setInterval(() => {
      this.whileHidden(performance.now());
    }, HIDDEN_MS);
    document.addEventListener('visibilitychange', () => {
      this.pace.restart(performance.now());
      this.whileHidden(performance.now());
    });
  }

  /** The worker told a picture. */
  take(message: Told): void {
    this.told = { message, at: performance.now() };
    this.answered = Math.max(this.answered, message.asked);
    this.isNew = true;
    if (document.hidden) this.show(performance.now());
  }

  private frame(now: number): void {
    this.pace.frame(now);
    this.painted(now);
    if (now - this.askedAt >= PAINT_MS) this.ask(now);
    if (this.isNew || now - this.shownAt >= REPAINT_MS) {
      const number = this.show(now);
      if (number !== null) this.placed = { number, at: this.told?.at ?? now };
    }
  }

  /** What was put in place in the frame before is on the glass. */
  private painted(now: number): void {
    if (this.placed === null) return;
    const { number, at } = this.placed;
    this.placed = null;
    this.pace.picture(now, now - at);
    const keys = this.keys === null ? null : [...this.keys];
    const framesPerSecond = this.pace.framesPerSecond(now);
    const health = { framesPerSecond, lagMs: this.pace.lagMs(), audio: this.audio, visible: true, keys };
    this.setting.post({ to: 'painted', picture: number, health });
  }

  private ask(now: number): void {
    this.asked += 1;
    this.askedAt = now;
    this.questions.set(this.asked, now);
    for (const old of this.questions.keys()) {
      if (this.questions.size <= QUESTIONS_MAX) break;
      this.questions.delete(old);
    }
    if (this.asked - this.answered > DEAD_AFTER) this.restart(now);
    this.setting.post({ to: 'ask', number: this.asked, ownWallMs: Date.now(), notices: this.notices(now) });
  }

  /** Until the new worker answers, the picture of the dead one stays, with everything in it lost. */
  private restart(now: number): void {
    this.answered = this.asked;
    this.begun = now;
    this.placed = null;
    this.setting.onDead();
    if (this.resting) this.setting.post({ to: 'rest', resting: true });
  }

  /** Puts the newest picture in place, as old as it is; answers its number when it is one of now. */
  private show(now: number): number | null {
    this.isNew = false;
    this.shownAt = now;
    const { told } = this;
    // Before the first answer nothing is known, and after 3 s without one the worker is lost.
    const questionAt = told === null ? this.begun : (this.questions.get(told.message.asked) ?? this.begun);
    const waited = now - questionAt;
    const picture = told === null ? this.connecting(waited) : agedPicture(told.message.picture, waited);
    this.setting.show({ ...this.adjusted(picture), atMs: now });
    return told !== null && waited <= WORKER_LOST_MS ? told.message.number : null;
  }

  private connecting(sinceMs: number): Picture {
    const { empty } = this.setting;
    const play = sinceMs < CONNECTING_QUIET_MS ? 'none' : 'lost';
    return { ...empty, link: { ...empty.link, sinceMs }, sound: { ...empty.sound, play } };
  }

  private adjusted(picture: Picture): Picture {
    if (picture.link.state !== 'lost') this.lossAcknowledged = false;
    const { sound } = picture;
    if (this.resting)
      return { ...picture, sound: { ...sound, play: 'none' }, local: this.notices(picture.atMs) };
    const isQuiet = this.lossAcknowledged && sound.play === 'lost';
    return isQuiet ? { ...picture, sound: { ...sound, play: 'lost-quiet' } } : picture;
  }

  private notices(now: number): LocalNotice[] {
    const notices: LocalNotice[] = [];
    if (this.audio === 'blocked') notices.push({ kind: 'no-sound', priority: 'medium' });
    if (this.pace.isSlow(now)) notices.push({ kind: 'slow', priority: 'low' });
    if (this.resting) notices.push({ kind: 'other-tab', priority: 'medium' });
    return notices;
  }

  private whileHidden(now: number): void {
    if (!document.hidden) return;
    this.placed = null;
    this.ask(now);
    this.setting.post({ to: 'hidden', audio: this.audio });
    this.show(now);
  }
}
