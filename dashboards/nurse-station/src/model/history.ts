// What this display has seen happen, the newest first; bounded.

import { AlarmTransition } from '../wire/gen/ecmo/v1/alarm_pb';
import type { AlarmRow, HistoryLine } from './picture';
import type { Change } from './row';

/** Most lines kept; the oldest go. */
const LINES_MAX = 2_000;

export class HistoryLines {
  version = 0;
  private lines: HistoryLine[] = [];
  private number = 0;

  add(line: Omit<HistoryLine, 'number'>): void {
    this.number += 1;
    this.version += 1;
    this.lines.push({ number: this.number, ...line });
    if (this.lines.length > LINES_MAX) this.lines.shift();
  }

  /** A change of a row, with the row as it is painted. */
  addChange(change: Change, row: AlarmRow, wallMs: number | null): void {
    const what = whatOf(change);
    if (what === null) return;
    const by = what === 'acknowledged' ? row.ackBy : what === 'paused' ? row.audioBy : row.gateway;
    this.add({ what, wallMs, row, by });
  }

  /** The newest first. */
  all(): HistoryLine[] {
    return [...this.lines].reverse();
  }
}

function whatOf({ what, row, before }: Change): HistoryLine['what'] | null {
  if (what === 'new') return 'raised';
  if (what === 'ended') return 'ended';
  if (what === 'ended-unseen') return 'ended-unheard';
  if (what === 'forgotten') return 'forgotten';
  const { alarm } = row;
  switch (alarm.transition) {
    case AlarmTransition.RAISED:
      return 'raised';
    case AlarmTransition.RETURNED:
      return 'returned';
    case AlarmTransition.LATCHED:
      return 'latched';
    case AlarmTransition.ACKNOWLEDGED:
      return 'acknowledged';
    case AlarmTransition.WORSENED:
      return alarm.escalated && before?.escalated === false ? 'escalated' : 'worsened';
    case AlarmTransition.DATA_LOST:
      return 'data-lost';
    case AlarmTransition.DATA_BACK:
      return 'data-back';
    case AlarmTransition.RULE_CHANGED:
      return 'limit-changed';
    case AlarmTransition.AUDIO_CHANGED:
      return alarm.audioBy !== '' && alarm.audioBy !== before?.audioBy ? 'paused' : 'heard';
    case AlarmTransition.ENDED:
      return 'ended';
    default:
      return null;
  }
}
