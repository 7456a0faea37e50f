// Words of the wire as words of the picture. What is not said, or not known to this page, counts as its gravest meaning.

import {
  AlarmKind,
  AlarmPriority,
  AudioState,
  LimitSide,
  PauseScope,
  SignalPresence,
} from '../wire/gen/ecmo/v1/alarm_pb';
import { PumpKind, SourceKind } from '../wire/gen/ecmo/v1/birth_pb';
import { Validity } from '../wire/gen/ecmo/v1/frame_pb';
import { OfferEnd } from '../wire/gen/ecmo/v1/ownership_pb';
import { PumpState } from '../wire/gen/ecmo/v1/pump_pb';
import { ContextKind, GapReason, Therapy } from '../wire/gen/ecmo/v1/treatment_pb';
import type { AlarmRow, ContextName, OwnershipPicture, Priority, Reason, Tile } from './picture';
import type { Case, RuleGap } from './treatment';

export function priorityOf(priority: AlarmPriority): Priority {
  switch (priority) {
    case AlarmPriority.INFORMATION:
      return 'information';
    case AlarmPriority.LOW:
      return 'low';
    case AlarmPriority.MEDIUM:
      return 'medium';
    default:
      return 'high';
  }
}

export function stateOf(signal: SignalPresence, active: boolean): AlarmRow['state'] {
  if (!active) return 'ended';
  switch (signal) {
    case SignalPresence.ACKNOWLEDGED:
      return 'acknowledged';
    case SignalPresence.LATCHED:
      return 'latched';
    default:
      return 'active';
  }
}

export function kindOf(kind: AlarmKind): AlarmRow['kind'] {
  return kind === AlarmKind.PHYSIOLOGICAL ? 'physiological' : 'technical';
}

export function audioOf(audio: AudioState): AlarmRow['audio'] {
  switch (audio) {
    case AudioState.OFF:
      return 'off';
    case AudioState.PAUSED:
      return 'paused';
    case AudioState.SHELVED:
      return 'shelved';
    case AudioState.GROUPED:
      return 'grouped';
    default:
      return 'on';
  }
}

export function scopeOf(scope: PauseScope): AlarmRow['pauseScope'] {
  switch (scope) {
    case PauseScope.ALARM:
      return 'alarm';
    case PauseScope.PUMP:
      return 'pump';
    case PauseScope.WARD:
      return 'ward';
    default:
      return null;
  }
}

export function sideOf(side: LimitSide): AlarmRow['side'] {
  if (side === LimitSide.BELOW) return 'below';
  return side === LimitSide.ABOVE ? 'above' : null;
}

const REASONS: Partial<Record<Validity, Reason>> = {
  [Validity.QUESTIONABLE]: 'questionable',
  [Validity.BELOW_RANGE]: 'below-range',
  [Validity.ABOVE_RANGE]: 'above-range',
  [Validity.NOT_MEASURED]: 'not-measured',
  [Validity.SENSOR_OFF]: 'sensor-off',
  [Validity.CALIBRATING]: 'calibrating',
  [Validity.STALE]: 'repeated',
  [Validity.SIMULATED]: 'simulated',
  [Validity.COMM_LOST]: 'comm-lost',
};

/** Null for a measurement. */
export function reasonOf(validity: Validity): Reason | null {
  return validity === Validity.VALID ? null : (REASONS[validity] ?? 'sensor-fault');
}

const CONTEXTS: Partial<Record<ContextKind, ContextName>> = {
  [ContextKind.PRIMING]: 'priming',
  [ContextKind.CANNULATION]: 'cannulation',
  [ContextKind.CLAMP_TRIAL]: 'clamp-trial',
  [ContextKind.WEAN]: 'wean',
  [ContextKind.CIRCUIT_CHANGE]: 'circuit-change',
  [ContextKind.TRANSPORT]: 'transport',
  [ContextKind.SUCTIONING]: 'suctioning',
  [ContextKind.ZEROING]: 'zeroing',
};

export function contextOf(kind: ContextKind): ContextName {
  return CONTEXTS[kind] ?? 'other';
}

export function contextKind(name: ContextName): ContextKind {
  const found = Object.entries(CONTEXTS).find(([, one]) => one === name);
  return found === undefined ? ContextKind.UNSPECIFIED : Number(found[0]);
}

export function offerOf(offer: OfferEnd): OwnershipPicture['lastOffer'] {
  switch (offer) {
    case OfferEnd.ACCEPTED:
      return 'accepted';
    case OfferEnd.REJECTED:
      return 'rejected';
    case OfferEnd.LAPSED:
      return 'lapsed';
    default:
      return null;
  }
}

export function pumpStateOf(state: PumpState): Tile['pumpState'] {
  switch (state) {
    case PumpState.STANDBY:
      return 'standby';
    case PumpState.RUNNING:
      return 'running';
    case PumpState.STOPPED:
      return 'stopped';
    default:
      return 'unknown';
  }
}

export function sourceOf(source: SourceKind): Tile['source'] {
  if (source === SourceKind.SIMULATED) return 'simulated';
  return source === SourceKind.REPLAYED ? 'replayed' : 'measured';
}

export function pumpKindOf(kind: PumpKind): Tile['pumpKind'] {
  if (kind === PumpKind.CENTRIFUGAL) return 'centrifugal';
  return kind === PumpKind.ROLLER ? 'roller' : null;
}

export function therapyOf(therapy: Therapy): Case['therapy'] {
  if (therapy === Therapy.VENO_ARTERIAL) return 'veno-arterial';
  return therapy === Therapy.VENO_VENOUS ? 'veno-venous' : null;
}

const GAPS: Partial<Record<GapReason, RuleGap['reason']>> = {
  [GapReason.NO_WEIGHT]: 'no-weight',
  [GapReason.NO_FLOW_TARGET]: 'no-flow-target',
  [GapReason.NO_OXYGENATOR_MINIMUM]: 'no-oxygenator-minimum',
  [GapReason.NO_SPEED_MAXIMUM]: 'no-speed-maximum',
  [GapReason.NO_THERAPY]: 'no-therapy',
  [GapReason.NO_SENSOR]: 'no-sensor',
  [GapReason.TOO_SLOW]: 'too-slow',
  [GapReason.NO_DATA]: 'no-data',
  [GapReason.NO_REFERENCE]: 'no-reference',
};

export function gapOf(reason: GapReason): RuleGap['reason'] {
  return GAPS[reason] ?? 'unknown';
}
