// A treatment of the wire as the screens read it, and a case on its way back.

import { create } from '@bufbuild/protobuf';

import { ms } from '../model/clock';
import { contextOf, gapOf, priorityOf, pumpKindOf, sideOf, therapyOf } from '../model/convert';
import type { Case, LimitInForce, Treatment } from '../model/treatment';
import { PumpKind } from './gen/ecmo/v1/birth_pb';
import {
  type Case as WireCase,
  CaseSchema,
  type LimitInForce as WireLimit,
  Therapy,
  type Treatment as WireTreatment,
} from './gen/ecmo/v1/treatment_pb';

/** A treatment as the gateway told it at its time `now`, in ms; null when that is not known. */
export function treatmentOf(wire: WireTreatment, now: number | null): Treatment {
  const left = (until: bigint): number | null => (now === null ? null : Math.max(0, ms(until) - now));
  const { profile } = wire;
  return {
    ward: wire.ward,
    pump: wire.pump,
    version: Number(wire.version),
    case: wire.case === undefined ? null : caseOf(wire.case),
    limits: wire.limits.map(limitOf),
    contexts: wire.contexts.map(({ kind, by, untilMonoNs }) => {
      return { kind: contextOf(kind), by, leftMs: left(untilMonoNs) };
    }),
    changes: wire.changes.map(({ rule, from, to, by, reason, wallNs, version }) => {
      return { rule, from, to, by, reason, wallMs: ms(wallNs), version: Number(version) };
    }),
    gaps: wire.gaps.map(({ rule, reason, parameter }) => ({ rule, reason: gapOf(reason), parameter })),
    shelved: wire.shelved.map(({ condition, by, reason, untilMonoNs }) => {
      return { condition, by, reason, leftMs: left(untilMonoNs) };
    }),
    profile:
      profile === undefined
        ? null
        : { name: profile.name, version: profile.version, reviewedBy: profile.reviewedBy },
    durable: wire.durable,
  };
}

function limitOf(wire: WireLimit): LimitInForce {
  const { rule, condition, parameter, number, numberUnit, isSet, profileNumber, unit } = wire;
  return {
    ...{ rule, condition, parameter, number, numberUnit, isSet, profileNumber, unit },
    side: sideOf(wire.side),
    limit: wire.limit ?? null,
    settableLow: wire.settableLow ?? null,
    settableHigh: wire.settableHigh ?? null,
    priority: priorityOf(wire.priority),
    delayMs: ms(wire.delayNs),
  };
}

function caseOf(wire: WireCase): Case {
  const { pseudonym, drainageCannula, returnCannula, oxygenator, indication } = wire;
  return {
    ...{ pseudonym, drainageCannula, returnCannula, oxygenator, indication },
    weightKg: wire.weightKg ?? null,
    pumpKind: pumpKindOf(wire.pumpKind),
    therapy: therapyOf(wire.therapy),
    oxygenatorFlowMin: wire.oxygenatorFlowMin ?? null,
    flowTarget: wire.flowTarget ?? null,
    speedMax: wire.speedMax ?? null,
    circuitStartWallMs: ms(wire.circuitStartWallNs),
  };
}

const KINDS = { centrifugal: PumpKind.CENTRIFUGAL, roller: PumpKind.ROLLER };

const THERAPIES = { 'veno-arterial': Therapy.VENO_ARTERIAL, 'veno-venous': Therapy.VENO_VENOUS };

export function wireCase(value: Case): WireCase {
  const { pseudonym, drainageCannula, returnCannula, oxygenator, indication } = value;
  const wire = create(CaseSchema, { pseudonym, drainageCannula, returnCannula, oxygenator, indication });
  if (value.weightKg !== null) wire.weightKg = value.weightKg;
  if (value.oxygenatorFlowMin !== null) wire.oxygenatorFlowMin = value.oxygenatorFlowMin;
  if (value.flowTarget !== null) wire.flowTarget = value.flowTarget;
  if (value.speedMax !== null) wire.speedMax = value.speedMax;
  wire.pumpKind = value.pumpKind === null ? PumpKind.UNSPECIFIED : KINDS[value.pumpKind];
  wire.therapy = value.therapy === null ? Therapy.UNSPECIFIED : THERAPIES[value.therapy];
  wire.circuitStartWallNs = BigInt(Math.round(value.circuitStartWallMs)) * 1_000_000n;
  return wire;
}
