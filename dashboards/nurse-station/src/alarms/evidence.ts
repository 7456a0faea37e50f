// The numbers of an alarm as text: worst, violated limit, value now; never an inequality that does not hold. Pure.
import type { AlarmRow, Tile, Value } from '../model/picture';
import { ageText, limitNumber, NO_NUMBER, valueNumber, withUnit } from '../words/format';
import { sayIn, type Language } from '../words/lookup';
import { digitsOf } from '../words/parameter';

/** A value older than this is never shown without its age, in ms. */
const AGE_SHOWN_FROM_MS = 1_000;

function number(language: Language, row: AlarmRow, value: number): string {
  return withUnit(language, valueNumber(language, row.parameter, row.unit, value), row.unit);
}

/**
 * The value furthest beyond the limit; empty where there is none. The pump's own reading counts too: an alarm changes with its
 * revisions, and beside a worse value now an older one would not be the worst.
 */
export function worstText(language: Language, row: AlarmRow, now?: Value): string {
  if (row.worst === null) return '';
  const read = now !== undefined && now.unit === row.unit ? now.value : null;
  if (read === null) return number(language, row, row.worst);
  const worse =
    row.side === 'below'
      ? Math.min(row.worst, read)
      : row.side === 'above'
        ? Math.max(row.worst, read)
        : row.worst;
  return number(language, row, worse);
}

/** The violated limit with its side. Empty for a detector. */
export function limitText(language: Language, row: AlarmRow): string {
  if (row.limit === null || row.unit === '{bool}') return '';
  // One digit more than the value has: a limit of people keeps its half, one that was computed loses its tail.
  const limit = Number(row.limit.toFixed(digitsOf(row.parameter, row.unit) + 1));
  const sign = row.side === 'below' ? '< ' : row.side === 'above' ? '> ' : '';
  return `${sign}${withUnit(language, limitNumber(language, limit), row.unit)}`;
}

/** The value now: the pump's own reading where it is in the alarm's unit, else the alarm's newest with its age. */
export function nowText(language: Language, row: AlarmRow, now?: Value): string {
  if (now !== undefined && now.unit === row.unit) {
    return now.value === null ? NO_NUMBER : number(language, row, now.value);
  }
  if (row.value === null) return row.limit === null && row.reason === null ? '' : NO_NUMBER;
  const text = number(language, row, row.value);
  const isOld = row.valueAgeMs !== null && row.valueAgeMs > AGE_SHOWN_FROM_MS;
  return isOld
    ? `${text} (${sayIn(language, 'value.ago', { age: ageText(language, row.valueAgeMs ?? 0) })})`
    : text;
}

/** The reading that an alarm watches, among those of its pump. */
export function watchedBy(row: AlarmRow, tiles: readonly Tile[]): Value | undefined {
  if (row.pump === '' || row.parameter === '') return undefined;
  const tile = tiles.find((each) => each.ward === row.ward && each.pump === row.pump);
  return tile?.values.find((value) => value.parameter === row.parameter && value.unit === row.unit);
}
