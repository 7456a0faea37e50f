// What people have said about one pump: case, limits in force, contexts, changes. Plain data for the settings screens.

import type { ContextPicture, Priority } from './picture';

export interface LimitInForce {
  /** Rule id, such as flow.low#2. */
  rule: string;
  condition: string;
  parameter: string;
  side: 'below' | 'above' | null;
  /** What the limit is made of, in numberUnit: the parameter's, so much for each kg, or 1 for a share. */
  number: number;
  numberUnit: string;
  isSet: boolean;
  profileNumber: number;
  /** In `unit`; null while it cannot be made or changes with another parameter. */
  limit: number | null;
  unit: string;
  /** What the site allows; null when it may not be set. */
  settableLow: number | null;
  settableHigh: number | null;
  priority: Priority;
  delayMs: number;
}

export interface LimitChange {
  rule: string;
  from: number;
  to: number;
  by: string;
  reason: string;
  wallMs: number;
  version: number;
}

export interface RuleGap {
  rule: string;
  reason:
    | 'no-weight'
    | 'no-flow-target'
    | 'no-oxygenator-minimum'
    | 'no-speed-maximum'
    | 'no-therapy'
    | 'no-sensor'
    | 'too-slow'
    | 'no-data'
    | 'no-reference'
    | 'unknown';
  parameter: string;
}

export interface Case {
  pseudonym: string;
  weightKg: number | null;
  pumpKind: 'centrifugal' | 'roller' | null;
  therapy: 'veno-arterial' | 'veno-venous' | null;
  drainageCannula: string;
  returnCannula: string;
  oxygenator: string;
  /** mL/min. */
  oxygenatorFlowMin: number | null;
  /** mL/min. */
  flowTarget: number | null;
  /** {rev}/min. */
  speedMax: number | null;
  /** ms since 1970; 0 while it is not known. */
  circuitStartWallMs: number;
  /** Number of the enum Indication on the wire; 0 is "not said". */
  indication: number;
}

export interface Treatment {
  ward: string;
  pump: string;
  /** What a change must name: the version that the person saw. */
  version: number;
  case: Case | null;
  limits: LimitInForce[];
  contexts: ContextPicture[];
  /** The newest first. */
  changes: LimitChange[];
  gaps: RuleGap[];
  shelved: { condition: string; by: string; reason: string; leftMs: number | null }[];
  profile: { name: string; version: number; reviewedBy: string } | null;
  durable: boolean;
}
