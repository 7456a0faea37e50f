// Finds a text by its key in one of the languages and puts its arguments in: typed keys, typed placeholders. Pure.
import { conditions as conditionsDe } from './de/conditions';
import { parameters as parametersDe } from './de/parameters';
import { texts as textsDe } from './de/texts';
import { conditions as conditionsEn, type ConditionId, type ConditionWords } from './en/conditions';
import { parameters as parametersEn, type ParameterWords } from './en/parameters';
import { texts as textsEn } from './en/texts';
import { conditions as conditionsEs } from './es/conditions';
import { parameters as parametersEs } from './es/parameters';
import { texts as textsEs } from './es/texts';
import { conditions as conditionsFr } from './fr/conditions';
import { parameters as parametersFr } from './fr/parameters';
import { texts as textsFr } from './fr/texts';
import type { ParameterId } from './parameter';

/** The languages of the page. */
export const languages = ['en', 'de', 'es', 'fr'] as const;
/** A language of the page. */
export type Language = (typeof languages)[number];
/** What each language calls itself. */
export const languageNames: Record<Language, string> = {
  en: 'English',
  de: 'Deutsch',
  es: 'Español',
  fr: 'Français',
};

/** Key of a text. English is the reference: the other languages have the same keys. */
export type Key = keyof typeof textsEn;
/** Names of the placeholders in a text. */
export type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
/** The arguments of a text: all of its placeholders, and no other. */
export type Args<K extends Key> = [Placeholders<(typeof textsEn)[K]>] extends [never]
  ? []
  : [args: Record<Placeholders<(typeof textsEn)[K]>, string | number>];

/** Keys of texts without a placeholder, for tables that choose one. */
export type PlainKey = { [K in Key]: Args<K> extends [] ? K : never }[Key];

const texts: Record<Language, Record<Key, string>> = { en: textsEn, de: textsDe, es: textsEs, fr: textsFr };
const conditions: Record<Language, Record<ConditionId, ConditionWords>> = {
  en: conditionsEn,
  de: conditionsDe,
  es: conditionsEs,
  fr: conditionsFr,
};
const parameters: Record<Language, Record<ParameterId, ParameterWords>> = {
  en: parametersEn,
  de: parametersDe,
  es: parametersEs,
  fr: parametersFr,
};

/** Puts arguments in the place of `{name}`; a placeholder without an argument stays, so that it is noticed. */
export function fill(template: string, args: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const argument = args[name];
    return argument === undefined ? whole : String(argument);
  });
}

/** A text of the page. */
export function sayIn<K extends Key>(language: Language, key: K, ...args: Args<K>): string {
  const given = (args as readonly Record<string, string | number>[])[0];
  return given === undefined ? texts[language][key] : fill(texts[language][key], given);
}

/** Whether a word is a key, for texts whose key is put together from what the gateway says. */
export function isKey(word: string): word is Key {
  return Object.hasOwn(textsEn, word);
}

const SENSOR_FAULT = 'sensor.fault';

/** The parameter whose sensor a condition is about; undefined for every other condition. */
export function faultySensor(condition: string): string | undefined {
  return condition.startsWith(`${SENSOR_FAULT}.`) ? condition.slice(SENSOR_FAULT.length + 1) : undefined;
}

function wordsOf(language: Language, condition: string): ConditionWords | undefined {
  const family = faultySensor(condition) === undefined ? condition : SENSOR_FAULT;
  return Object.hasOwn(conditionsEn, family) ? conditions[language][family as ConditionId] : undefined;
}

/** Name of a condition. One that is not in the list keeps its id: a newer gateway's condition is never lost. */
export function conditionNameIn(language: Language, condition: string): string {
  const words = wordsOf(language, condition);
  if (words === undefined) return condition;
  const sensor = faultySensor(condition);
  return fill(words[0], { parameter: sensor === undefined ? '' : parameterNameIn(language, sensor) }).replace(
    /\s*:?\s*$/,
    '',
  );
}

/** Label of a condition on a tile, 20 characters at most; the id of one that is not in the list. */
export function conditionTileIn(language: Language, condition: string): string {
  const words = wordsOf(language, condition);
  if (words === undefined) return condition;
  const sensor = faultySensor(condition);
  return fill(words[1], { parameter: sensor === undefined ? '' : parameterLabelIn(language, sensor) }).trim();
}

/** What to check at the pump; undefined for a condition that is not in the list. */
export function conditionCheckIn(language: Language, condition: string): string | undefined {
  return wordsOf(language, condition)?.[2];
}

function parameterWords(language: Language, parameter: string): ParameterWords | undefined {
  return Object.hasOwn(parametersEn, parameter) ? parameters[language][parameter as ParameterId] : undefined;
}

/** Short label of a parameter, as on a tile; its id when it is not in the list. */
export function parameterLabelIn(language: Language, parameter: string): string {
  return parameterWords(language, parameter)?.[0] ?? parameter;
}

/** Name of a parameter in words; its id when it is not in the list. */
export function parameterNameIn(language: Language, parameter: string): string {
  return parameterWords(language, parameter)?.[1] ?? parameter;
}
