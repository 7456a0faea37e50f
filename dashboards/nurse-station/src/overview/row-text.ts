// An alarm in one line: stars, what, the value against its limit.
import type { AlarmRow } from '../model/picture';
import { limitNumber, valueNumber } from '../words/format';
import { conditionTile, language, say } from '../words/say';

/**
 * `0.21 < 0.40`; empty for a condition without a limit, and for a detector, whose limit means nothing to people. The worst value,
 * because that is what was alarmed about.
 */
export function evidence(row: AlarmRow): string {
  if (row.unit === '{bool}') return '';
  const shown = row.worst ?? row.value;
  if (shown === null || row.limit === null || row.side === null) return '';
  const rounded = (number: number): string => valueNumber(language(), row.parameter, row.unit, number);
  // Digits as people know them, unless value and limit would then look alike.
  const exact = rounded(shown) === rounded(row.limit);
  const [value, limit] = [shown, row.limit].map(exact ? (each) => limitNumber(language(), each) : rounded);
  return `${value}\u00a0${row.side === 'below' ? '<' : '>'}\u00a0${limit}`;
}

/** What kind of word stands beside an alarm that does not simply call: last known, acknowledged, latched, another ward's. */
export function standing(row: AlarmRow): string {
  if (row.lastKnown || row.unheard) return say('tile.last_known');
  if (row.state === 'acknowledged') return say('tile.acknowledged');
  if (row.state === 'latched') return say('tile.latched');
  return row.redirected ? say('tile.redirected') : '';
}

/** What an element that shows an alarm says of it to whoever reads the page by program. */
export function marksOf(row: AlarmRow): Record<string, string | number> {
  return {
    'data-testid': 'alarm',
    'data-occurrence': row.occurrence,
    'data-revision': row.revision,
    'data-condition': row.condition,
    'data-priority': row.priority,
    'data-state': row.lastKnown || row.unheard ? 'last-known' : row.state,
  };
}

/** `*** FLOW LOW`. */
export function alarmName(row: AlarmRow): string {
  return `${say(`priority.stars.${row.priority}`)} ${conditionTile(row.condition)}`;
}

/** `*** FLOW LOW 0.21 < 0.40`. */
export function alarmText(row: AlarmRow): string {
  return `${alarmName(row)} ${evidence(row)}`.trimEnd();
}

/** Where: the bed as people call it, else the pump, else the gateway whose own condition it is. */
export function placeText(row: AlarmRow): string {
  if (row.bed !== '') return say('tile.bed', { bed: row.bed });
  return row.pump !== '' ? row.pump : row.gateway;
}

/** All of it, for a screen reader. */
export function rowText(row: AlarmRow): string {
  const parts = [
    say(`priority.${row.priority}`),
    placeText(row),
    conditionTile(row.condition),
    evidence(row),
  ];
  return [...parts, standing(row)].filter((part) => part !== '').join(' ');
}
