// What a person enters about a treatment, checked before it is sent. Pure.
import type { Case } from '../model/treatment';
import { sayIn, type Language } from '../words/lookup';

import { numberOf } from './limit-entry';

/** The fields as text. */
export interface CaseEntry {
  pseudonym: string;
  weightKg: string;
  flowTarget: string;
  oxygenatorFlowMin: string;
  speedMax: string;
  therapy: '' | 'veno-arterial' | 'veno-venous';
  pumpKind: '' | 'centrifugal' | 'roller';
}

/** Least and greatest number of each field, as the gateway takes them. */
export const bounds = {
  weightKg: [0.3, 10],
  flowTarget: [1, 9990],
  oxygenatorFlowMin: [1, 9990],
  speedMax: [1, 6000],
} as const;
export type NumberField = keyof typeof bounds;
export const numberFields = Object.keys(bounds) as NumberField[];

/** Longest pseudonym. */
export const PSEUDONYM_MAX = 64;

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);

/** The fields of a case; empty ones without a case. */
export function entryOf(value: Case | null): CaseEntry {
  return {
    pseudonym: value?.pseudonym ?? '',
    weightKg: shown(value?.weightKg),
    flowTarget: shown(value?.flowTarget),
    oxygenatorFlowMin: shown(value?.oxygenatorFlowMin),
    speedMax: shown(value?.speedMax),
    therapy: value?.therapy ?? '',
    pumpKind: value?.pumpKind ?? '',
  };
}

/** What is wrong, by field; an empty number is "not known" and allowed. */
export function wrongInCase(
  language: Language,
  entry: CaseEntry,
): Partial<Record<NumberField | 'pseudonym', string>> {
  const wrong: Partial<Record<NumberField | 'pseudonym', string>> = {};
  const name = entry.pseudonym.trim();
  if (name === '' || name.length > PSEUDONYM_MAX) wrong.pseudonym = sayIn(language, 'case.need_pseudonym');
  for (const field of numberFields) {
    const text = entry[field].trim();
    if (text === '') continue;
    const number = numberOf(text);
    const [low, high] = bounds[field];
    if (number === null || number < low || number > high) {
      wrong[field] = sayIn(language, 'case.need_number', { low, high });
    }
  }
  return wrong;
}

/** The case with what was entered; what the form does not ask for stays. */
export function caseOf(entry: CaseEntry, before: Case | null): Case {
  const number = (field: NumberField): number | null => numberOf(entry[field]);
  return {
    drainageCannula: '',
    returnCannula: '',
    oxygenator: '',
    circuitStartWallMs: 0,
    indication: 0,
    ...before,
    pseudonym: entry.pseudonym.trim(),
    weightKg: number('weightKg'),
    flowTarget: number('flowTarget'),
    oxygenatorFlowMin: number('oxygenatorFlowMin'),
    speedMax: number('speedMax'),
    therapy: entry.therapy === '' ? null : entry.therapy,
    pumpKind: entry.pumpKind === '' ? null : entry.pumpKind,
  };
}
