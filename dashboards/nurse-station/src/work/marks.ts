// Alarms of a pump on the time axis of its trends.

import type { AlarmRow, HistoryLine } from '../model/picture';
import type { TrendAnswer } from '../model/trend';

/** What is there now, and what has ended since this display was opened, as far as it reaches into the span. */
export function trendMarks(
  rows: readonly AlarmRow[],
  lines: readonly HistoryLine[],
  ward: string,
  pump: string,
  fromWallMs: number,
): TrendAnswer['marks'] {
  const isOf = (row: AlarmRow): boolean => row.ward === ward && row.pump === pump;
  const present = rows.filter(isOf).map(({ onsetWallMs, condition, priority }) => {
    return { wallMs: onsetWallMs, endWallMs: null, condition, priority };
  });
  const ended = lines.flatMap(({ what, row, wallMs }) => {
    const isEnd = what === 'ended' || what === 'ended-unheard' || what === 'forgotten';
    if (!isEnd || row === null || !isOf(row)) return [];
    const { onsetWallMs, condition, priority } = row;
    return [{ wallMs: onsetWallMs, endWallMs: wallMs, condition, priority }];
  });
  const marks = [...present, ...ended].filter(
    ({ endWallMs }) => endWallMs === null || endWallMs >= fromWallMs,
  );
  return marks.sort((one, other) => one.wallMs - other.wallMs);
}
