// One pump's tile: what its gateway says, how old it is, and what this display itself does not know.

import { LinkState, type Pump } from '../wire/gen/ecmo/v1/pump_pb';
import { ms } from './clock';
import { contextOf, offerOf, pumpKindOf, pumpStateOf, sourceOf } from './convert';
import type { AlarmRow, DataState, OwnershipPicture, Tile, Value } from './picture';
import type { PumpView } from './pump';
import type { Treatment } from './treatment';
import { type Rhythm, valueOfReading } from './reading';

/** Agent and gateway wall clocks that differ by more than this are told. */
const CLOCK_OFF_MS = 1_000;

export interface TileSetting {
  place: number;
  alarms: AlarmRow[];
  alarmsKnown: boolean;
  /** Of the version that the pump is judged by; null while that is not known. */
  treatment: Treatment | null;
  /** How long ago the treatment was told, in ms: what was left then is less now. */
  treatmentAgeMs: number;
  rhythm: Rhythm;
  staleMs: number;
  gateway: string;
  /** For how long this display has known the pump without data. */
  waitingMs: number | null;
}

export function tileOf(view: PumpView, setting: TileSetting): Tile {
  const { pump } = view;
  const key = `${pump.ward}/${pump.pump}`;
  const { alarms, treatment, rhythm } = setting;
  const data = dataState(view);
  const values = pump.readings.map((reading) => {
    return valueOfReading(
      view,
      reading,
      rhythm.bounds(key, reading.parameter, setting.staleMs),
      alarms,
      treatment,
    );
  });
  return {
    key,
    ward: pump.ward,
    pump: pump.pump,
    bed: pump.ownership?.bed ?? '',
    place: setting.place,
    data,
    ageMs: view.ageMs,
    waitingMs: data === 'live' || data === 'late' ? null : (view.ageMs ?? setting.waitingMs),
    ageUnproven: pump.ageUnproven,
    // What turned when it was last heard of may have stopped.
    pumpState: data === 'live' || data === 'late' ? pumpStateOf(pump.state) : 'unknown',
    values,
    alarms,
    alarmsKnown: setting.alarmsKnown,
    ownership: ownershipOf(view),
    pause: pauseOf(alarms),
    limitsChanged: pump.limitsSet,
    limitsKnown: treatment !== null,
    contexts: contextsOf(pump, treatment, setting.treatmentAgeMs),
    power: powerOf(values),
    sensorsOff: values.filter(({ state }) => state === 'invalid').length,
    clockOffMs: clockOff(pump),
    unreviewed: pump.unreviewed,
    rulesNotJudged: pump.rulesNotEvaluable,
    source: sourceOf(pump.source),
    pumpKind: pumpKindOf(pump.pumpKind),
    device: pump.device,
    agentVersion: pump.agentVersion,
    treatmentVersion: Number(pump.treatmentVersion),
    gateway: setting.gateway,
    counts: countsOf(pump),
    paths: pump.paths.map(({ name, connected, lastFrameMonoNs: at }) => {
      return {
        name,
        connected,
        ageMs: at === undefined || view.now === null ? null : Math.max(0, view.now - ms(at)),
      };
    }),
  };
}

function dataState({ known, freshness, pump }: PumpView): DataState {
  // Late is what a stream that was cut may still show; beyond, and whatever else it said, nobody knows.
  if (!known && freshness === 'stale') return 'unheard';
  switch (pump.link) {
    case LinkState.LIVE:
      return freshness;
    case LinkState.NEVER_SEEN:
      return 'never-seen';
    case LinkState.STOPPED:
      return 'stopped';
    default:
      return 'silent';
  }
}

function ownershipOf({ pump, now }: PumpView): OwnershipPicture {
  const of = pump.ownership;
  const passed = (at: bigint | undefined): number | null => {
    return at === undefined || now === null ? null : now - ms(at);
  };
  const since = passed(of?.sinceMonoNs);
  const left = passed(of?.offerUntilMonoNs);
  return {
    owner: of?.owner ?? '',
    sinceMs: since === null ? null : Math.max(0, since),
    offeredTo: of?.offeredTo ?? '',
    offerLeftMs: left === null ? null : Math.max(0, -left),
    lastOffer: of === undefined ? null : offerOf(of.lastOffer),
    unanswered: of?.unanswered ?? false,
  };
}

function pauseOf(alarms: readonly AlarmRow[]): Tile['pause'] {
  let longest: Tile['pause'] = null;
  for (const { audio, audioLeftMs, audioBy, pauseScope } of alarms) {
    if (audio !== 'paused') continue;
    const leftMs = audioLeftMs ?? 0;
    if (longest === null || leftMs > longest.leftMs)
      longest = { leftMs, scope: pauseScope ?? 'alarm', by: audioBy };
  }
  return longest;
}

function contextsOf(pump: Pump, treatment: Treatment | null, ageMs: number): Tile['contexts'] {
  return pump.contexts.map((context) => {
    const kind = contextOf(context);
    const known = treatment?.contexts.find((one) => one.kind === kind);
    const left = known?.leftMs ?? null;
    return { kind, by: known?.by ?? '', leftMs: left === null ? null : Math.max(0, left - ageMs) };
  });
}

function powerOf(values: readonly Value[]): Tile['power'] {
  const of = (parameter: string): number | null => {
    return values.find((value) => value.parameter === parameter)?.value ?? null;
  };
  const mains = of('power.mains');
  return {
    mains: mains === null ? null : mains >= 0.5,
    charge: of('battery.charge'),
    minutesLeft: of('battery.time_left'),
  };
}

function clockOff(pump: Pump): number | null {
  const difference = pump.clock?.wallDifferenceNs;
  if (difference === undefined) return null;
  const off = ms(difference);
  return Math.abs(off) > CLOCK_OFF_MS ? off : null;
}

function countsOf({ counters }: Pump): Tile['counts'] {
  return {
    received: Number(counters?.framesReceived ?? 0n),
    missing: Number(counters?.framesMissing ?? 0n),
    dropouts: Number(counters?.dropouts ?? 0n),
    boots: Number(counters?.boots ?? 0n),
  };
}
