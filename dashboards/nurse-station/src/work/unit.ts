// Everything that the worker holds together: streams, screen, board, sweeps, recorder, lease and actions.

import { Code, ConnectError } from '@connectrpc/connect';

import type { Act } from '../act/act';
import { doer } from '../act/doer';
import { Attender } from '../attend/attender';
import type { AudioOutput } from '../attend/health';
import { type Around, Board } from '../model/board';
import type { DevicePicture } from '../model/device';
import { ms } from '../model/clock';
import type { History, LinkPicture, LocalNotice, Picture } from '../model/picture';
import { RECENT_MS, Recorder } from '../model/recorder';
import { keptAnswer } from '../model/kept';
import { type Marks, Screen } from '../model/screen';
import type { Strip, TrendAnswer, TrendQuestion } from '../model/trend';
import type { Gateway } from '../wire/gateway';
import { fetchKept } from '../wire/history';
import type { WatchAlarmsResponse } from '../wire/gen/ecmo/v1/alarm_service_pb';
import type { WatchWardResponse } from '../wire/gen/ecmo/v1/pump_service_pb';
import { Keeper, type Which } from '../wire/keeper';
import type { Settings } from '../wire/settings';
import { deviceOf } from './device';
import type { PaintedHealth } from './protocol';
import { stripOf } from './rings';
import { Session } from './session';
import { silentOf } from './silent';
import { Sweeps } from './sweeps';
import { Treatments } from './treatments';
import { trendMarks } from './marks';

/** Pumps are told at most so often. */
const PUMPS_EVERY_MS = 100;

/** Pictures whose marks are kept until they are painted. */
const PICTURES_MAX = 32;

/** What another gateway took over is its own after this: see Screen.abandon. */
const ABANDON_AFTER_MS = 15_000;

/** Sweeps that are asked for within this are subscribed to together. */
const CHOICE_MS = 100;

export interface UnitSetting {
  settings: Settings;
  display: string;
  /** What this page is: its build, and the digest of the messages that it speaks. */
  build: string;
  contract: string;
  now: () => number;
  /** Something happened that is to be painted at once. */
  onNews: () => void;
  /** Another gateway speaks, or another start of it: what it says of itself may be other too. */
  onSpeaker: () => void;
}

export class Unit {
  readonly act: Act;
  readonly sweeps: Sweeps;
  /** What screens ask for, beside what a person does. */
  readonly answers = {
    history: (): History => this.history(),
    device: (ward: string, pump: string): DevicePicture | null => this.device(ward, pump),
    trend: (question: TrendQuestion): Promise<TrendAnswer> => this.trend(question),
    strip: (ward: string, pump: string, parameters: string[], seconds: number): Strip[] =>
      this.strip(ward, pump, parameters, seconds),
  };
  readonly session = new Session({
    gateways: () => this.gateways.map(({ url }) => url),
    heard: () => this.address(),
  });
  private readonly gateways: Gateway[];
  private readonly screen: Screen;
  private readonly board = new Board();
  private readonly recorder = new Recorder();
  private readonly keeper: Keeper;
  private readonly attender: Attender;
  private readonly treatments: Treatments;
  private readonly pictures = new Map<number, Marks>();
  private pictured = 0;
  private ownWallMs = 0;
  /** Name of the gateway that serves the page. */
  private own = '';
  private notices: LocalNotice[] = [];
  /** Build of the page that is served now; null while nobody says. */
  private served: string | null = null;
  /** Digest of the messages that each gateway speaks, by its address. */
  private readonly contracts = new Map<string, string>();
  private clockOf = '';
  private takenOverAt: number | null = null;
  private choiceTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly setting: UnitSetting) {
    const { settings, display, now } = setting;
    this.gateways = settings.gateways.map((url) => this.session.gatewayAt(url));
    this.screen = new Screen(this.gateways.length, settings.ward);
    this.sweeps = new Sweeps({
      now: (key) => this.pumpNow(key),
      onChoice: () => {
        this.choose();
      },
    });
    this.keeper = new Keeper({
      gateways: () => this.gateways.length,
      open: (gateway, which, signal) => this.open(gateway, which, signal),
      onMessage: (gateway, which, message) => {
        this.onMessage(gateway, which, message);
      },
      onLost: (gateway, which, why) => {
        this.screen.onLost(gateway, which, now(), why);
        setting.onNews();
      },
      onError: (_gateway, _which, error) => {
        this.onError(error);
      },
      random: Math.random,
    });
    this.attender = new Attender({
      display,
      wards: () => (settings.ward === '' ? [] : [settings.ward]),
      now,
      onAnswer: (link, epoch, nowMonoNs, sent) => {
        this.screen.onAnswer(link, epoch, nowMonoNs, sent, now());
      },
      take: (link) => this.screen.links[link]?.takeConfirmations() ?? [],
      putBack: (link, shown) => {
        this.screen.links[link]?.putBack(shown);
      },
    });
    this.treatments = new Treatments(this.board, now);
    this.act = doer({
      gateway: () => this.heard(),
      now: () => this.screen.links[this.keeper.active]?.alarms.clock.now(now()) ?? null,
      wards: () => [...new Set(this.screen.pumps().map(({ pump }) => pump.ward))],
    });
  }

  start(): void {
    this.keeper.start();
  }

  /** Another tab holds the streams of this browser, or no longer. */
  rest(resting: boolean): void {
    this.keeper.stop();
    if (resting) this.screen.onLost(this.keeper.active, 'both', this.setting.now());
    else this.keeper.start();
  }

  /** Where the gateway is whose streams are open. */
  address(): string {
    return this.gateways[this.keeper.active]?.url ?? '';
  }

  /** To be called some times a second: sees what was broken without a sign, and what waits. */
  tick(): void {
    const now = this.setting.now();
    this.screen.tick(now);
    const { active } = this.keeper;
    const { alarms, pumps } = this.screen.needsResubscribe(active);
    if (alarms !== null) this.keeper.broken('alarms', alarms);
    if (pumps !== null) this.keeper.broken('pumps', pumps);
    this.takeOver(active, now);
    const gateway = this.heard();
    if (gateway !== null) this.treatments.follow(gateway, this.screen.pumps());
  }

  /** The picture of now, with its number. */
  picture(): { number: number; picture: Picture } {
    const now = this.setting.now();
    const picture = this.board.picture(this.screen, this.around(), now);
    this.recorder.observe(picture.tiles, now);
    this.sweeps.setSilent(silentOf(picture));
    this.pictured += 1;
    this.pictures.set(this.pictured, this.screen.marks());
    for (const old of this.pictures.keys()) {
      if (this.pictures.size <= PICTURES_MAX) break;
      this.pictures.delete(old);
    }
    return { number: this.pictured, picture };
  }

  /** The page asks: with what it knows of itself. */
  asked(ownWallMs: number, notices: LocalNotice[]): void {
    this.ownWallMs = ownWallMs;
    this.notices = notices;
  }

  /** A picture is on the glass. */
  painted(number: number, health: PaintedHealth): void {
    const marks = this.pictures.get(number);
    if (marks === undefined) return;
    const seen = health.keys === null ? null : new Set(health.keys);
    if (health.visible) this.screen.painted(marks, (key) => seen?.has(key) ?? true);
    this.attend(health);
  }

  /** The page is hidden: it holds its lease, and says that nobody can see it. */
  hidden(audio: AudioOutput): void {
    this.attend({ framesPerSecond: 0, lagMs: 0, audio, visible: false });
  }

  forgetMissed(): void {
    this.screen.forgetMissed();
    this.setting.onNews();
  }

  acknowledgeLoss(): void {
    this.board.acknowledgeLoss();
    this.setting.onNews();
  }

  /** What the gateway says of itself, and of the others, now. */
  know({ gateway, gateways, staleMs, build, contract }: Settings): void {
    this.own = gateway;
    this.screen.staleMs = staleMs;
    for (const url of gateways) {
      if (this.gateways.some((known) => known.url === url)) continue;
      this.gateways.push(this.session.gatewayAt(url));
      this.screen.addLink();
    }
    this.served = build;
    this.noteContract(this.gateways[0]?.url ?? '', contract);
  }

  /** Which messages the gateway at an address speaks; null when it does not say. */
  noteContract(url: string, contract: string | null): void {
    if (contract === null) this.contracts.delete(url);
    else this.contracts.set(url, contract);
  }

  /** What the page is, where the page that is served, or what the gateway speaks, is of another version. */
  private mismatch(): LinkPicture['mismatch'] {
    const { build, contract } = this.setting;
    if (this.served !== null && this.served !== build) return { gateway: this.served, page: build };
    const spoken = this.contracts.get(this.address()) ?? contract;
    return spoken === contract ? null : { gateway: spoken, page: contract };
  }

  private history(): History {
    return this.board.historyOf(this.screen, this.around(), this.setting.now());
  }

  private device(ward: string, pump: string): DevicePicture | null {
    const view = this.screen.pumps().find((one) => one.pump.ward === ward && one.pump.pump === pump);
    return view === undefined ? null : deviceOf(view);
  }

  /** What the gateway has kept, and the last hour as this display saw it; without the gateway's, this display's alone. */
  private async trend(question: TrendQuestion): Promise<TrendAnswer> {
    const gateway = this.heard();
    const kept = gateway === null ? null : await fetchKept(gateway, question, this.wallNow());
    const recorded = this.recorded(question);
    const recent = this.recorded({ ...question, spanMs: Math.min(question.spanMs, RECENT_MS) });
    return kept === null ? recorded : keptAnswer(kept, recorded, recent);
  }

  private recorded({ ward, pump, parameters, spanMs }: TrendQuestion): TrendAnswer {
    const now = this.setting.now();
    const { series, startMs, binMs, bins } = this.recorder.read(`${ward}/${pump}`, parameters, spanMs, now);
    const wallNow = this.wallNow();
    const startWallMs = wallNow - (now - startMs);
    const picture = this.board.rowsOf(this.screen, this.around(), now);
    const marks = trendMarks(picture, this.board.history.all(), ward, pump, startWallMs);
    return { startWallMs, binMs, bins, series, marks, source: 'display', damaged: 0 };
  }

  private strip(ward: string, pump: string, parameters: string[], seconds: number): Strip[] {
    const key = `${ward}/${pump}`;
    const now = this.pumpNow(key);
    if (now === null) return [];
    const units = new Map(
      this.screen.pumps().flatMap(({ pump: of }) => of.readings.map((one) => [one.parameter, one.unit])),
    );
    const offset = this.wallNow() - now;
    return parameters.map((parameter) => {
      const strip = stripOf(
        parameter,
        this.sweeps.ringOf(key, parameter),
        now - seconds * 1_000,
        now,
        offset,
      );
      return { ...strip, unit: units.get(parameter) ?? '' };
    });
  }

  private attend(health: Omit<PaintedHealth, 'keys'>): void {
    const link = this.keeper.active;
    const gateway = this.heard();
    if (gateway === null) return;
    const { framesPerSecond, lagMs, audio, visible } = health;
    const painted = this.screen.links[link]?.painted ?? null;
    this.attender.on(link, gateway, { painted, framesPerSecond, lagMs, audio, visible });
  }

  /** The gateway whose alarms are known. */
  private heard(): Gateway | null {
    const link = this.screen.links[this.keeper.active];
    return link?.isKnown(this.setting.now()) === true ? (this.gateways[this.keeper.active] ?? null) : null;
  }

  private open(gateway: number, which: Which, signal: AbortSignal): AsyncIterable<unknown> {
    const to = this.gateways[gateway];
    if (to === undefined) throw new Error('no such gateway');
    const { display, settings } = this.setting;
    const { ward } = settings;
    if (which === 'pumps') {
      const waveforms = this.sweeps.choice();
      return to.pumps.watchWard({ ward, intervalMs: PUMPS_EVERY_MS, waveforms }, { signal });
    }
    const seen = this.screen.seenUntil(gateway);
    const request = { ward, display };
    return to.alarms.watchAlarms(seen === null ? request : { ...request, seenUntil: seen }, { signal });
  }

  private onMessage(gateway: number, which: Which, message: unknown): void {
    const now = this.setting.now();
    if (which === 'alarms') {
      const told = message as WatchAlarmsResponse;
      this.screen.onAlarms(gateway, told, now);
      if (told.update.case !== 'heartbeat' && told.update.case !== 'drill') this.setting.onNews();
      return;
    }
    const told = message as WatchWardResponse;
    const waveform = this.screen.onWard(gateway, told, now);
    this.noteClock(gateway, told.epoch);
    if (waveform !== null) this.sweeps.push(waveform);
    if (told.update.case !== 'pumps') return;
    for (const { ward, pump, readings } of told.update.value.pumps)
      this.board.rhythm.note(`${ward}/${pump}`, readings);
    if (told.sequence === 0n) this.setting.onNews();
  }

  /** Times of another start of a gateway have no place among those of before. */
  private noteClock(gateway: number, epoch: bigint): void {
    const of = `${String(gateway)}/${String(epoch)}`;
    if (this.clockOf === of) return;
    if (this.clockOf !== '') {
      this.sweeps.clear();
      this.attender.restart();
      this.takenOverAt = this.setting.now();
      this.setting.onSpeaker();
    }
    this.clockOf = of;
  }

  private takeOver(active: number, now: number): void {
    if (this.takenOverAt === null || now - this.takenOverAt < ABANDON_AFTER_MS) return;
    if (this.screen.links[active]?.isKnown(now) !== true) return;
    this.takenOverAt = null;
    for (const link of this.screen.links.keys()) {
      if (link !== active) this.screen.abandon(link, active);
    }
    this.setting.onNews();
  }

  private choose(): void {
    // A screen asks for its sweeps one after the other: all of them make one new stream.
    this.choiceTimer ??= setTimeout(() => {
      this.choiceTimer = undefined;
      this.keeper.renew('pumps');
    }, CHOICE_MS);
  }

  private onError(error: unknown): void {
    // A gateway without a call that this page makes is of another version.
    if (ConnectError.from(error).code === Code.Unimplemented) this.served = '?';
  }

  private pumpNow(key: string): number | null {
    const of = this.screen.links[this.keeper.active];
    return of?.byPump.has(key) === true ? of.pumps.clock.now(this.setting.now()) : null;
  }

  private wallNow(): number {
    const link = this.screen.links[this.keeper.active];
    const now = link?.alarms.clock.now(this.setting.now()) ?? null;
    const beat = link?.heartbeat ?? null;
    return beat === null || now === null ? this.ownWallMs : ms(beat.wallNs) + (now - beat.at);
  }

  private around(): Around {
    const host = (link: number): string => {
      const of = this.gateways[link];
      return of === undefined ? '' : new URL(of.url).host;
    };
    const next = (this.keeper.active + 1) % this.gateways.length;
    const notices: LocalNotice[] = this.attender.isNotCounted()
      ? [{ kind: 'not-counted', priority: 'medium' }]
      : [];
    return {
      ownWallMs: this.ownWallMs,
      name: (link) => (link === 0 && this.own !== '' ? this.own : host(link)),
      other: this.gateways.length > 1 ? host(next) : null,
      mismatch: this.mismatch(),
      notices: [...this.notices, ...notices],
    };
  }
}
