// Messages as a gateway makes them, short to write. Times are gateway ms.

import { create, type MessageInitShape } from '@bufbuild/protobuf';

import { Board, type Around } from '../../../src/model/board';
import type { Picture } from '../../../src/model/picture';
import { Screen } from '../../../src/model/screen';
import {
  type Alarm,
  AlarmPriority,
  AlarmSchema,
  AudioState,
  SignalPresence,
} from '../../../src/wire/gen/ecmo/v1/alarm_pb';
import {
  type WatchAlarmsResponse,
  WatchAlarmsResponseSchema,
} from '../../../src/wire/gen/ecmo/v1/alarm_service_pb';
import { Validity } from '../../../src/wire/gen/ecmo/v1/frame_pb';
import { LinkState, type Pump, PumpSchema, PumpState } from '../../../src/wire/gen/ecmo/v1/pump_pb';
import {
  type WatchWardResponse,
  WatchWardResponseSchema,
} from '../../../src/wire/gen/ecmo/v1/pump_service_pb';

export const A = 0;
export const B = 1;

export const ns = (ms: number): bigint => BigInt(Math.round(ms * 1_000_000));

/** A high alarm of a pump that signals. */
export function alarm(
  condition: string,
  revision = 1,
  call = 1,
  more: MessageInitShape<typeof AlarmSchema> = {},
): Alarm {
  return create(AlarmSchema, {
    occurrence: `nicu/p1/${condition}/1-1`,
    revision,
    call,
    ward: 'nicu',
    pump: 'p1',
    condition,
    priority: AlarmPriority.HIGH,
    present: true,
    signal: SignalPresence.ON,
    audio: AudioState.ON,
    ...more,
  });
}

export function acknowledged(of: Alarm, by: string): Alarm {
  const revision = of.revision + 1;
  const signal = SignalPresence.ACKNOWLEDGED;
  return create(AlarmSchema, { ...of, revision, signal, audio: AudioState.OFF, acknowledgedBy: by });
}

export function ended(of: Alarm): Alarm {
  return create(AlarmSchema, {
    ...of,
    revision: of.revision + 1,
    present: false,
    signal: SignalPresence.OFF,
  });
}

type Update = MessageInitShape<typeof WatchAlarmsResponseSchema>['update'];

export function message(sequence: number, nowMs: number, update: Update, epoch = 1n): WatchAlarmsResponse {
  const stamp = { sequence: BigInt(sequence), epoch, nowMonoNs: ns(nowMs) };
  return create(WatchAlarmsResponseSchema, update === undefined ? stamp : { ...stamp, update });
}

export function snapshot(
  nowMs: number,
  alarms: Alarm[],
  epoch = 1n,
  past: Alarm[] = [],
): WatchAlarmsResponse {
  return message(0, nowMs, { case: 'snapshot', value: { alarms, ended: past } }, epoch);
}

export function change(sequence: number, nowMs: number, value: Alarm, epoch = 1n): WatchAlarmsResponse {
  return message(sequence, nowMs, { case: 'alarm', value }, epoch);
}

/** 14:00 on some day. */
export const WALL_MS = 1_700_000_000_000;

export function beat(
  sequence: number,
  nowMs: number,
  epoch = 1n,
  wallMs = WALL_MS + nowMs,
): WatchAlarmsResponse {
  return message(sequence, nowMs, { case: 'heartbeat', value: { wallNs: ns(wallMs) } }, epoch);
}

/** A pump whose frame and only reading were sampled then. */
export function pump(sampledMs: number, more: MessageInitShape<typeof PumpSchema> = {}): Pump {
  return create(PumpSchema, {
    ward: 'nicu',
    pump: 'p1',
    link: LinkState.LIVE,
    state: PumpState.RUNNING,
    bootId: 7n,
    lastFrameMonoNs: ns(sampledMs),
    readings: [reading(sampledMs)],
    ...more,
  });
}

export function reading(sampledMs: number, parameter = 'flow.blood', value = 400) {
  return { parameter, unit: 'mL/min', value, validity: Validity.VALID, sampledMonoNs: ns(sampledMs) };
}

export function pumps(sequence: number, nowMs: number, list: Pump[], epoch = 1n): WatchWardResponse {
  return create(WatchWardResponseSchema, {
    sequence: BigInt(sequence),
    epoch,
    nowMonoNs: ns(nowMs),
    alarmThreadMonoNs: ns(nowMs),
    update: { case: 'pumps', value: { pumps: list } },
  });
}

/** The rows in short: condition, whether it signals, whether nobody is heard of it. */
export function rows(screen: Screen): [string, boolean, boolean][] {
  return screen.rows().map((row) => {
    const signals =
      row.alarm.signal !== SignalPresence.ACKNOWLEDGED && row.alarm.signal !== SignalPresence.OFF;
    return [row.alarm.condition, signals, row.unheard];
  });
}

export const AROUND: Around = {
  ownWallMs: WALL_MS,
  name: (link) => `g${String(link)}`,
  other: null,
  mismatch: null,
  notices: [],
};

/** A screen with its board, of which pictures are taken. */
export class Desk {
  readonly board = new Board();
  readonly screen: Screen;

  constructor(links = 1, ward = '') {
    this.screen = new Screen(links, ward);
  }

  picture(local: number, around: Partial<Around> = {}): Picture {
    return this.board.picture(this.screen, { ...AROUND, ...around }, local);
  }
}
