// The lease of this display and its confirmations, at the gateway that is heard: driven by what was painted, and by nothing else.

import type { Shown } from '../model/link';
import { AudioOutput as WireAudio, DisplayState } from '../wire/gen/ecmo/v1/display_pb';
import { CALL_MS, type Gateway } from '../wire/gateway';
import type { AudioOutput } from './health';

/** The lease lasts 3 s: it is renewed each second. */
const RENEW_MS = 1_000;

/** Wait before a confirmation that failed, or did not count yet, is sent again; and how often that is done. */
const RETRY_MS = 500;
const TRIES_MAX = 10;

/** Answers in turn that do not take this display for one that paints, until its people are told. */
const NOT_COUNTED_MAX = 3;

export interface Health {
  painted: { epoch: bigint; newestNs: bigint } | null;
  framesPerSecond: number;
  lagMs: number;
  audio: AudioOutput;
  visible: boolean;
}

export interface AttenderSetting {
  display: string;
  wards: () => string[];
  now: () => number;
  onAnswer: (link: number, epoch: bigint, nowMonoNs: bigint, sent: number) => void;
  take: (link: number) => Shown[];
  putBack: (link: number, shown: Shown[]) => void;
}

const AUDIO: Record<AudioOutput, WireAudio> = {
  on: WireAudio.ON,
  blocked: WireAudio.BLOCKED,
  none: WireAudio.NONE,
};

export class Attender {
  private sentAt: number | null = null;
  private isAsking = false;
  private isConfirming = false;
  private notCounted = 0;
  private tries = 0;
  private retryAt = 0;

  constructor(private readonly setting: AttenderSetting) {}

  /** The gateway does not take this display for one that paints. */
  isNotCounted(): boolean {
    return this.notCounted >= NOT_COUNTED_MAX;
  }

  /** A call has not been answered yet. */
  isBusy(): boolean {
    return this.isAsking || this.isConfirming;
  }

  /** Something was painted, or the page said that it paints nothing. */
  on(link: number, gateway: Gateway, health: Health): void {
    const now = this.setting.now();
    const isDue = this.sentAt === null || now - this.sentAt >= RENEW_MS - 50;
    if (isDue && !this.isAsking && health.painted !== null) void this.renew(link, gateway, health, now);
    if (!this.isConfirming && now >= this.retryAt) void this.confirm(link, gateway);
  }

  /** Another gateway is spoken to: it has not been told anything. */
  restart(): void {
    this.sentAt = null;
    this.notCounted = 0;
    this.tries = 0;
  }

  private async renew(link: number, gateway: Gateway, health: Health, sent: number): Promise<void> {
    this.sentAt = sent;
    this.isAsking = true;
    const { painted, framesPerSecond, lagMs, audio, visible } = health;
    try {
      const answer = await gateway.displays.attendWards(
        {
          display: this.setting.display,
          wards: this.setting.wards(),
          health: {
            paintedMonoNs: painted?.newestNs ?? 0n,
            paintedEpoch: painted?.epoch ?? 0n,
            framesPerSecond,
            lagMs: Math.round(lagMs),
            audio: AUDIO[audio],
            visible,
          },
        },
        { timeoutMs: CALL_MS },
      );
      this.setting.onAnswer(link, answer.epoch, answer.nowMonoNs, sent);
      this.notCounted = answer.state === DisplayState.ATTENDS ? 0 : this.notCounted + 1;
    } catch {
      // A lease that could not be renewed is asked for again with the next picture.
    } finally {
      this.isAsking = false;
    }
  }

  private async confirm(link: number, gateway: Gateway): Promise<void> {
    const shown = this.setting.take(link);
    if (shown.length === 0) return;
    this.isConfirming = true;
    try {
      const { display } = this.setting;
      const { counts } = await gateway.alarms.confirmAlarms({ display, shown }, { timeoutMs: CALL_MS });
      // The lease of a display that has just come takes a moment.
      if (counts) this.tries = 0;
      else if (this.tries < TRIES_MAX) this.again(link, shown);
    } catch {
      this.again(link, shown);
    } finally {
      this.isConfirming = false;
    }
  }

  private again(link: number, shown: Shown[]): void {
    this.tries += 1;
    this.retryAt = this.setting.now() + RETRY_MS;
    this.setting.putBack(link, shown);
  }
}
