// The language that the page speaks now: what it says changes on the screen when the language does.
import {
  conditionCheckIn,
  conditionNameIn,
  conditionTileIn,
  languages,
  parameterLabelIn,
  parameterNameIn,
  sayIn,
  type Args,
  type Key,
  type Language,
} from './lookup';

let spoken = $state<Language>('en');

/** The language spoken now. */
export function language(): Language {
  return spoken;
}

/** Speaks another language from now on. */
export function setLanguage(next: Language): void {
  spoken = next;
}

/** The first language of the page among those that a person asks for, such as "de-AT"; English when there is none. */
export function languageFor(wanted: readonly string[]): Language {
  for (const each of wanted) {
    const found = languages.find((known) => each.toLowerCase().split('-')[0] === known);
    if (found !== undefined) return found;
  }
  return 'en';
}

/** A text of the page. */
export function say<K extends Key>(key: K, ...args: Args<K>): string {
  return sayIn(spoken, key, ...args);
}

/** Name of a condition. */
export function conditionName(condition: string): string {
  return conditionNameIn(spoken, condition);
}

/** Label of a condition on a tile. */
export function conditionTile(condition: string): string {
  return conditionTileIn(spoken, condition);
}

/** What to check at the pump for a condition; undefined for one that is not in the list. */
export function conditionCheck(condition: string): string | undefined {
  return conditionCheckIn(spoken, condition);
}

/** Short label of a parameter. */
export function parameterLabel(parameter: string): string {
  return parameterLabelIn(spoken, parameter);
}

/** Name of a parameter in words. */
export function parameterName(parameter: string): string {
  return parameterNameIn(spoken, parameter);
}
