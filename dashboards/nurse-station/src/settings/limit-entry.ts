// Whether a number that a person enters may become a limit, and what to enter instead. Pure.
import type { LimitInForce } from '../model/treatment';
import { limitNumber, unitText, withUnit } from '../words/format';
import { sayIn, type Language } from '../words/lookup';

/** A number with comma or point, with any minus that a keyboard has; null for everything else. */
export function numberOf(text: string): number | null {
  const plain = text.trim().replace('\u2212', '-').replace(',', '.');
  if (!/^-?\d{1,6}(\.\d{1,3})?$/.test(plain)) return null;
  return Number(plain);
}

/** Whether a limit may be set at all. */
export function isSettable(
  limit: LimitInForce,
): limit is LimitInForce & { settableLow: number; settableHigh: number } {
  return limit.settableLow !== null && limit.settableHigh !== null;
}

/** A number in the unit that the limit is made of. */
export function madeText(language: Language, limit: LimitInForce, number: number): string {
  const text = limitNumber(language, number);
  if (limit.numberUnit === '1') return `${text} ${sayIn(language, 'limits.share')}`;
  return limit.numberUnit === '{bool}'
    ? sayIn(language, 'limits.fixed')
    : withUnit(language, text, limit.numberUnit);
}

/** The limit itself with its side; says when it follows another value. */
export function limitInForceText(language: Language, limit: LimitInForce): string {
  if (limit.unit === '{bool}') return sayIn(language, limit.side === 'below' ? 'value.no' : 'value.yes');
  if (limit.limit === null) return sayIn(language, 'limits.follows');
  const sign = limit.side === 'below' ? '< ' : limit.side === 'above' ? '> ' : '';
  const unit = unitText(language, limit.unit);
  return `${sign}${limitNumber(language, limit.limit)}${unit === '' ? '' : `\u00a0${unit}`}`;
}

/** What is wrong with an entry; empty when it may be sent. */
export function wrongNumber(language: Language, limit: LimitInForce, text: string): string {
  const example = limitNumber(language, limit.profileNumber);
  const number = numberOf(text);
  if (number === null) return sayIn(language, 'limits.not_number', { example });
  if (!isSettable(limit)) return sayIn(language, 'limits.fixed');
  const [low, high] = [limit.settableLow, limit.settableHigh].map((each) => limitNumber(language, each));
  if (number < limit.settableLow || number > limit.settableHigh) {
    return sayIn(language, 'limits.out_of_range', {
      number: limitNumber(language, number),
      low: low ?? '',
      high: high ?? '',
    });
  }
  return number === limit.number ? sayIn(language, 'limits.same') : '';
}
