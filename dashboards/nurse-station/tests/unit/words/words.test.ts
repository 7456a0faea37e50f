// Every text exists in every language, every condition and parameter of the gateway has words, and formats are exact.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { conditions as conditionsDe } from '../../../src/words/de/conditions';
import { parameters as parametersDe } from '../../../src/words/de/parameters';
import { texts as textsDe } from '../../../src/words/de/texts';
import { conditions as conditionsEn } from '../../../src/words/en/conditions';
import { parameters as parametersEn } from '../../../src/words/en/parameters';
import { texts as textsEn } from '../../../src/words/en/texts';
import { conditions as conditionsEs } from '../../../src/words/es/conditions';
import { parameters as parametersEs } from '../../../src/words/es/parameters';
import { texts as textsEs } from '../../../src/words/es/texts';
import { conditions as conditionsFr } from '../../../src/words/fr/conditions';
import { parameters as parametersFr } from '../../../src/words/fr/parameters';
import { texts as textsFr } from '../../../src/words/fr/texts';
import { alarms } from '../../../src/words/en/alarms';
import { events } from '../../../src/words/en/events';
import { pump } from '../../../src/words/en/pump';
import { settings } from '../../../src/words/en/settings';
import { shell } from '../../../src/words/en/shell';
import {
  conditionCheckIn,
  conditionNameIn,
  conditionTileIn,
  fill,
  languages,
  parameterNameIn,
  sayIn,
  type Language,
} from '../../../src/words/lookup';
import { parameterFacts } from '../../../src/words/parameter';

const CORE = '../../../../../gateway/core/src/';
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const texts: Record<Language, Record<string, string>> = {
  en: textsEn,
  de: textsDe,
  es: textsEs,
  fr: textsFr,
};
const conditions: Record<Language, Record<string, readonly string[]>> = {
  en: conditionsEn,
  de: conditionsDe,
  es: conditionsEs,
  fr: conditionsFr,
};
const parameters: Record<Language, Record<string, readonly string[]>> = {
  en: parametersEn,
  de: parametersDe,
  es: parametersEs,
  fr: parametersFr,
};

const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();

/** Ids of the gateway's list of conditions, in the source that every other list follows. */
function gatewayConditions(): string[] {
  const source = read(`${CORE}alarm/condition.rs`);
  const ids = [...source.matchAll(/^ {4}[A-Z0-9_]+: "([a-z0-9_.]+)", (?:Physiological|Technical),/gm)];
  return ids.map((match) => match[1]!);
}

describe('texts', () => {
  it.each(languages)('has every key, and nothing else, in %s', (language) => {
    expect(Object.keys(texts[language]).sort()).toEqual(Object.keys(textsEn).sort());
  });

  it.each(languages)(
    'puts the same placeholders into every text in %s, and leaves none empty',
    (language) => {
      for (const [key, text] of Object.entries(texts[language])) {
        expect(placeholders(text), key).toEqual(placeholders((textsEn as Record<string, string>)[key]!));
        expect(text.trim(), key).not.toBe('');
      }
    },
  );

  it('names no key twice in two files', () => {
    const all = [shell, alarms, events, pump, settings].flatMap((each) => Object.keys(each));
    expect(all.length).toBe(new Set(all).size);
  });

  it('fills placeholders, and lets one without an argument be noticed', () => {
    expect(sayIn('de', 'bar.live', { live: 11, all: 12 })).toBe('11 von 12 live');
    expect(fill('{a} {b}', { a: 0 })).toBe('0 {b}');
    expect(sayIn('fr', 'nav.alarms')).toBe('Alarmes');
  });

  it('is said in another language, and not in English again', () => {
    for (const language of languages.filter((each) => each !== 'en')) {
      const same = Object.entries(texts[language]).filter(
        ([key, text]) => text.length > 24 && text === (textsEn as Record<string, string>)[key],
      );
      expect(same, language).toEqual([]);
    }
  });
});

describe('conditions', () => {
  const known = [...gatewayConditions(), 'sensor.fault'].sort();

  it('reads the list of the gateway', () => {
    expect(known.length).toBeGreaterThan(60);
    expect(known).toContain('pump.stop');
    const documented = read('../../../../../gateway/docs/alarms.md');
    for (const id of known.filter((each) => each !== 'sensor.fault')) {
      // alarms.md writes some families with a star, such as `pre.high.*`.
      const family = `${id.split('.').slice(0, 2).join('.')}.*`;
      expect(documented.includes(`\`${id}\``) || documented.includes(`\`${family}\``), id).toBe(true);
    }
  });

  it.each(languages)('has words for every condition of the gateway, and for no other, in %s', (language) => {
    expect(Object.keys(conditions[language]).sort()).toEqual(known);
  });

  it.each(languages)('keeps names, labels and advice within their room in %s', (language) => {
    for (const [id, words] of Object.entries(conditions[language])) {
      const [name, tile, check] = words as [string, string, string];
      expect(name.length, `${id}: ${name}`).toBeLessThanOrEqual(64);
      expect(tile.length, `${id}: ${tile}`).toBeLessThanOrEqual(20);
      expect(check.length, `${id}: ${check}`).toBeGreaterThanOrEqual(20);
      expect(check.length, `${id}: ${check}`).toBeLessThanOrEqual(135);
      expect(placeholders(name)).toEqual(id === 'sensor.fault' ? ['parameter'] : []);
      expect(placeholders(tile)).toEqual(id === 'sensor.fault' ? ['parameter'] : []);
    }
  });

  it.each(languages)('calls what is inferred possible, never certain, in %s', (language) => {
    const inferred = [
      'air.arterial',
      'air.suspected',
      'air.venous',
      'bleeding.trend',
      'circuit.disconnection',
      'drain.chatter',
      'drain.obstruction',
      'gas.failure',
      'oxygenator.clotting',
      'post.low',
      'recirculation',
      'return.obstruction',
    ];
    for (const id of inferred) {
      expect(conditions[language][id]![0], id).toMatch(/possib|mögli|posib|possible/i);
      expect(conditions[language][id]![1], id).toMatch(/\?|TREND|CHATTER/);
    }
  });

  it('says the same as the terminal', () => {
    const terminal = read('../../../../terminal/src/words/conditions.rs');
    const words = [...terminal.matchAll(/"([a-z0-9_.]+)": "([^"]+)",\s+"([^"]+)";/g)];
    expect(words.length).toBe(known.length - 1);
    for (const [, id, name, check] of words) {
      const here = conditions.en[id!]!;
      expect(here[0], id).toBe(name);
      if (!check!.includes('ecmoctl')) expect(here[2], id).toBe(check);
    }
  });

  it('shows a condition of a newer gateway by its id', () => {
    expect(conditionNameIn('de', 'some.newer.condition')).toBe('some.newer.condition');
    expect(conditionTileIn('de', 'some.newer.condition')).toBe('some.newer.condition');
    expect(conditionCheckIn('de', 'some.newer.condition')).toBeUndefined();
    expect(conditionNameIn('de', 'toString')).toBe('toString');
  });

  it('names the sensor that is at fault', () => {
    expect(conditionNameIn('en', 'sensor.fault.press.drain')).toBe('sensor fault: drainage pressure');
    expect(conditionTileIn('de', 'sensor.fault.press.drain')).toBe('SENSOR P ven');
    expect(conditionCheckIn('fr', 'sensor.fault.press.drain')).toContain('câble');
    expect(conditionNameIn('en', 'sensor.fault')).toBe('sensor fault');
  });
});

describe('parameters', () => {
  const source = read(`${CORE}parameter.rs`);
  const rows = [
    ...source.matchAll(/"([a-z0-9._]+)", "([^"]+)", [-\d.]+ \.\. [-\d.]+, (\d), "([^"]+)";/g),
  ].map((match) => [match[1]!, match[2]!, Number(match[3]), match[4]!] as const);

  it('has unit, digits and name of every parameter of the gateway', () => {
    expect(rows.length).toBeGreaterThan(50);
    const facts = rows.map(([id, unit, digits]) => [id, [unit, digits]]);
    expect(Object.entries(parameterFacts)).toEqual(facts);
    for (const [id, , , name] of rows) expect(parameterNameIn('en', id)).toBe(name);
  });

  it.each(languages)('labels every parameter shortly, and no two alike, in %s', (language) => {
    const words = Object.values(parameters[language]);
    expect(Object.keys(parameters[language]).sort()).toEqual(rows.map(([id]) => id).sort());
    for (const [label] of words) expect(label!.length, label).toBeLessThanOrEqual(12);
    expect(new Set(words.map(([label]) => label)).size).toBe(words.length);
    expect(new Set(words.map(([, name]) => name)).size).toBe(words.length);
  });
});
