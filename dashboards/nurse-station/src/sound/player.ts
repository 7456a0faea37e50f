// The loudspeaker of the page: one audio context, one burst at a time, and whether anything can be heard at all.
import type { AudioOutput } from '../attend/health';
import { burstNames, bursts, lengthMs, type BurstName } from './burst';
import { renderAll } from './samples';
import { next, type Playing, type Wanted } from './scheduler';
import { gainOf, holdVolumes, usualVolumes, type Volumes } from './volume';

/** blocked: the browser wants a click first. none: there is no audio, or its clock stands. */
export type SoundState = 'starting' | 'on' | 'blocked' | 'none';

/** What came of a self-test: whether the signal of the tone passed through the output of the page. */
export type TestResult = 'heard' | 'nothing';

/** How long the audio clock may stand before it is taken for dead, in ms. */
const stallMs = 2000;

/** How often a test looks, how long it waits for the output to start, and what it takes for a page that was busy, in ms. */
const lookMs = 50;
const startMs = 400;
const busyMs = 400;

interface Output {
  context: AudioContext;
  level: GainNode;
  meter: AnalyserNode;
  buffers: Map<BurstName, AudioBuffer>;
}

export class Player {
  #output: Output | null = null;
  #failed = false;
  #source: AudioBufferSourceNode | null = null;
  #playing: Playing | null = null;
  #wanted: Wanted = { play: 'none', key: '' };
  #volumes: Volumes = usualVolumes;
  #testing = false;
  /** The last test heard nothing: what plays is not believed to be heard. */
  #deaf = false;
  #clock = { audioS: -1, pageMs: 0 };
  readonly #tell: (state: SoundState) => void;

  /** `tell` is called when the state may have changed. */
  constructor(tell: (state: SoundState) => void) {
    this.#tell = tell;
  }

  /** Renders the bursts and opens the output. Bursts that were asked for meanwhile begin then. */
  async open(): Promise<void> {
    try {
      const buffers = await renderAll(burstNames);
      const context = new AudioContext({ latencyHint: 'interactive' });
      const level = new GainNode(context, { gain: 1 });
      const meter = new AnalyserNode(context, { fftSize: 32_768 });
      level.connect(meter).connect(context.destination);
      context.addEventListener('statechange', () => this.#tell(this.state()));
      this.#output = { context, level, meter, buffers };
      this.#clock = { audioS: context.currentTime, pageMs: performance.now() };
    } catch {
      this.#failed = true;
    }
    this.#tell(this.state());
    this.#follow();
  }

  state(): SoundState {
    if (this.#failed) return 'none';
    if (this.#output === null) return 'starting';
    if (this.#output.context.state !== 'running') return 'blocked';
    return this.#deaf || this.#stalled() ? 'none' : 'on';
  }

  /** What the gateway is told. */
  audio(): AudioOutput {
    const state = this.state();
    return state === 'on' || state === 'blocked' ? state : 'none';
  }

  /** Name of the burst that plays, whether or not it can be heard; null while none does. */
  get playing(): BurstName | null {
    return this.#playing?.name ?? null;
  }

  /** After a click or a key: asks the browser to let sound out. */
  async unlock(): Promise<void> {
    if (this.#output === null) return;
    try {
      await this.#output.context.resume();
    } finally {
      this.#tell(this.state());
    }
  }

  setVolumes(volumes: Volumes): void {
    this.#volumes = holdVolumes(volumes);
    if (this.#playing !== null) this.#setLevel(this.#playing.name);
  }

  /** Plays what the picture asks for. To be called with every picture. */
  want(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#watchClock();
    this.#follow();
  }

  /** Plays a burst once, whatever else is asked for, and says whether a signal went out. An alarm breaks it off. */
  async test(name: BurstName): Promise<TestResult> {
    const output = this.#output;
    if (output === null || this.#testing || this.#wanted.play !== 'none') return 'nothing';
    this.#testing = true;
    try {
      this.#begin(output, name, '', false);
      return await this.#listen(output, lengthMs(bursts[name]));
    } finally {
      this.#testing = false;
      this.#silence();
      this.#follow();
      this.#tell(this.state());
    }
  }

  async #listen(output: Output, forMs: number): Promise<TestResult> {
    const wave = new Float32Array(output.meter.fftSize);
    const untilMs = performance.now() + forMs + startMs;
    let heard = false;
    let seenMs = performance.now();
    let longestMs = 0;
    while (!heard && performance.now() < untilMs && this.#wanted.play === 'none') {
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      output.meter.getFloatTimeDomainData(wave);
      heard = wave.some((sample) => Math.abs(sample) > 0.01);
      longestMs = Math.max(longestMs, performance.now() - seenMs);
      seenMs = performance.now();
    }
    // A test that an alarm broke off, or a page that was too busy to look, says nothing.
    const isSure = this.#wanted.play === 'none' && longestMs < busyMs && output.context.state === 'running';
    if (heard) this.#deaf = false;
    else if (isSure) this.#deaf = true;
    while (heard && performance.now() < untilMs && this.#wanted.play === 'none') {
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    return heard ? 'heard' : 'nothing';
  }

  #follow(): void {
    const output = this.#output;
    if (output === null) return;
    if (this.#testing && this.#wanted.play === 'none') return;
    const step = next(this.#wanted, this.#testing ? null : this.#playing, output.context.currentTime * 1000);
    if (step.kind === 'stop') this.#silence();
    if (step.kind === 'adopt' && this.#playing !== null) this.#playing = { ...this.#playing, key: step.key };
    if (step.kind === 'start') this.#begin(output, step.name, step.key, true);
  }

  #begin(output: Output, name: BurstName, key: string, loop: boolean): void {
    this.#silence();
    const source = new AudioBufferSourceNode(output.context, {
      buffer: output.buffers.get(name) ?? null,
      loop,
    });
    source.connect(output.level);
    source.start();
    this.#source = source;
    this.#playing = { name, key, sinceMs: output.context.currentTime * 1000 };
    this.#setLevel(name);
    performance.mark(loop ? 'sound-start' : 'sound-test', { detail: name });
  }

  #silence(): void {
    this.#source?.stop();
    this.#source?.disconnect();
    if (this.#source !== null) performance.mark('sound-stop');
    this.#source = null;
    this.#playing = null;
  }

  #setLevel(name: BurstName): void {
    const output = this.#output;
    if (output === null) return;
    output.level.gain.value = gainOf(name, this.#volumes);
  }

  #watchClock(): void {
    const context = this.#output?.context;
    if (context === undefined || context.currentTime === this.#clock.audioS) return;
    const stalled = this.#stalled();
    this.#clock = { audioS: context.currentTime, pageMs: performance.now() };
    if (stalled) this.#tell(this.state());
  }

  #stalled(): boolean {
    const context = this.#output?.context;
    if (context === undefined) return false;
    // The clock that stands while a page that was busy looks at it for the first time has not stood.
    return context.currentTime === this.#clock.audioS && performance.now() - this.#clock.pageMs > stallMs;
  }
}
