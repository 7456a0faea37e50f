// Numbers, units, ages, countdowns and the gateway's wall times as text for people. Pure: no clock is read here.
import { sayIn, type Language } from './lookup';
import { digitsOf } from './parameter';

/** What stands where no number holds. */
export const NO_NUMBER = '- - -';

/** Languages that write a comma before the decimals. */
const COMMA: Record<Language, boolean> = { en: false, de: true, es: true, fr: true };

const MINUS = '\u2212';

/** A number with fixed digits and a true minus; never "-0" and never NaN. */
export function numberText(language: Language, value: number, digits: number): string {
  if (!Number.isFinite(value)) return NO_NUMBER;
  const text = Math.abs(value).toFixed(digits);
  const isZero = Number(text) === 0;
  const sign = value < 0 && !isZero ? MINUS : '';
  return sign + (COMMA[language] ? text.replace('.', ',') : text);
}

/** A number that a person entered, with no more decimals than it has, three at most: rounded, it would be another limit. */
export function limitNumber(language: Language, value: number): string {
  if (!Number.isFinite(value)) return NO_NUMBER;
  const digits = value.toFixed(3).replace(/0+$/, '').split('.')[1]?.length ?? 0;
  return numberText(language, value, digits);
}

/** A value of a parameter with the digits that belong to it, without its unit; yes or no for what has two states. */
export function valueNumber(language: Language, parameter: string, unit: string, value: number): string {
  if (unit === '{bool}' && Number.isFinite(value))
    return sayIn(language, value >= 0.5 ? 'value.yes' : 'value.no');
  return numberText(language, value, digitsOf(parameter, unit));
}

/** Turns of a pump for each minute, as people write them. */
const TURNS: Record<Language, string> = { en: 'rpm', de: 'U/min', es: 'rpm', fr: 'tr/min' };

/** A UCUM code as people write it; empty for what has no unit. */
export function unitText(language: Language, ucum: string): string {
  switch (ucum) {
    case 'mm[Hg]':
      return 'mmHg';
    case '{rev}/min':
      return TURNS[language];
    case 'Cel':
      return '°C';
    case '{bool}':
    case '[pH]':
    case '1':
      return '';
    case 'Ohm':
      return 'Ω';
    case 'N.m':
      return 'N·m';
    case 'mm[Hg].min/L':
      return 'mmHg·min/L';
    default:
      return ucum;
  }
}

/** A number and its unit with a space that does not break; no space where there is no unit. */
export function withUnit(language: Language, number: string, ucum: string): string {
  const unit = unitText(language, ucum);
  return unit === '' ? number : `${number}\u00a0${unit}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The word for a day beside a number. */
const DAYS: Record<Language, string> = { en: 'd', de: 'd', es: 'd', fr: 'j' };

const two = (number: number): string => String(number).padStart(2, '0');

/** An age that a glance can take in: `0.4 s`, `14 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`. Cut, never rounded up. */
export function ageText(language: Language, ms: number): string {
  if (!Number.isFinite(ms)) return NO_NUMBER;
  const age = Math.max(0, ms);
  if (age < 10 * SECOND) return `${numberText(language, Math.floor(age / 100) / 10, 1)}\u00a0s`;
  if (age < 2 * MINUTE) return `${Math.floor(age / SECOND)}\u00a0s`;
  if (age < 2 * HOUR)
    return `${Math.floor(age / MINUTE)}\u00a0min\u00a0${two(Math.floor(age / SECOND) % 60)}\u00a0s`;
  if (age < 2 * DAY)
    return `${Math.floor(age / HOUR)}\u00a0h\u00a0${two(Math.floor(age / MINUTE) % 60)}\u00a0min`;
  return `${Math.floor(age / DAY)}\u00a0${DAYS[language]}\u00a0${Math.floor(age / HOUR) % 24}\u00a0h`;
}

/** A countdown, `1:48` or `1:02:05`: rounded up, so that it is 0:00 only at the end. */
export function countdownText(ms: number): string {
  if (!Number.isFinite(ms)) return '-:--';
  const seconds = Math.ceil(Math.max(0, ms) / SECOND);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** A short time of the path: `0.41 ms`, `12 ms`, `1.24 s`. */
export function latencyText(language: Language, ms: number): string {
  if (!Number.isFinite(ms)) return NO_NUMBER;
  if (ms < 10) return `${numberText(language, ms, 2)}\u00a0ms`;
  if (ms < SECOND) return `${numberText(language, ms, 0)}\u00a0ms`;
  return `${numberText(language, ms / SECOND, 2)}\u00a0s`;
}

/** Milliseconds of a gateway's wall time in nanoseconds; undefined for 0, which says that it is not known. */
export function wallMs(wallNs: bigint): number | undefined {
  return wallNs === 0n ? undefined : Number(wallNs / 1_000_000n);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(
  language: Language,
  kind: 'time' | 'minute' | 'date',
  zone: string | undefined,
): Intl.DateTimeFormat {
  const name = `${language} ${kind} ${zone ?? ''}`;
  let format = formats.get(name);
  if (format === undefined) {
    const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    const parts = {
      time: { ...clock, second: '2-digit' },
      minute: clock,
      date: { ...clock, day: '2-digit', month: '2-digit', second: '2-digit' },
    } as const;
    const locale = language === 'en' ? 'en-GB' : language;
    format = new Intl.DateTimeFormat(
      locale,
      zone === undefined ? parts[kind] : { ...parts[kind], timeZone: zone },
    );
    formats.set(name, format);
  }
  return format;
}

/** A wall time of the gateway in this computer's time zone: `14:03:07`. A label for people, never a basis for a decision. */
export function timeText(language: Language, ms: number | undefined, zone?: string): string {
  return ms === undefined || !Number.isFinite(ms) ? '--:--:--' : formatOf(language, 'time', zone).format(ms);
}

/** The same without seconds: `14:03`. */
export function minuteText(language: Language, ms: number | undefined, zone?: string): string {
  return ms === undefined || !Number.isFinite(ms) ? '--:--' : formatOf(language, 'minute', zone).format(ms);
}

/** The same with day and month. */
export function dateText(language: Language, ms: number | undefined, zone?: string): string {
  return ms === undefined || !Number.isFinite(ms) ? '--:--:--' : formatOf(language, 'date', zone).format(ms);
}
