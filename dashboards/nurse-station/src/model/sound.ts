// What must be heard now: the most urgent only, begun anew when something new calls.

import type { AlarmRow, Burst, SoundPicture } from './picture';
import type { Whole } from './whole';

/** A display that has never been connected is as one that was lost after this. */
export const CONNECTING_QUIET_MS = 10_000;

/** A stream that was cut is opened anew at once, here or at the other gateway: it is heard when that does not help. */
const BLIP_MS = 1_000;

export class Sounds {
  private calling = new Set<string>();
  private played: Burst = 'none';
  private number = 0;

  at(rows: readonly AlarmRow[], whole: Whole, lossAcknowledged: boolean): SoundPicture {
    const play = burst(rows, whole, lossAcknowledged);
    const calling = rows.filter((row) => row.sounds && row.priority === play);
    const ids = new Set(
      calling.map(({ key, call, escalated }) => `${key}#${String(call)}${String(escalated)}`),
    );
    const isNew = [...ids].some((id) => !this.calling.has(id));
    if (isNew || play !== this.played) this.number += 1;
    this.calling = ids;
    this.played = play;
    return { play, key: String(this.number), silenced: silencedOf(rows) };
  }
}

function burst(rows: readonly AlarmRow[], whole: Whole, lossAcknowledged: boolean): Burst {
  const { state, sinceMs, why } = whole;
  const lasts = sinceMs >= BLIP_MS || why === 'silent';
  const lost = (state === 'lost' && lasts) || (state === 'connecting' && sinceMs >= CONNECTING_QUIET_MS);
  if (lost) return lossAcknowledged ? 'lost-quiet' : 'lost';
  const sounding = (priority: string): boolean => rows.some((row) => row.sounds && row.priority === priority);
  if (sounding('high')) return 'high';
  if (sounding('medium')) return 'medium';
  if ((state === 'alarms-only' || state === 'telemetry-only') && lasts) return 'technical';
  return sounding('low') || state === 'delayed' ? 'low' : 'none';
}

function silencedOf(rows: readonly AlarmRow[]): SoundPicture['silenced'] {
  const count = (is: (row: AlarmRow) => boolean): number => rows.filter(is).length;
  return {
    paused: count(({ audio }) => audio === 'paused'),
    shelved: count(({ audio }) => audio === 'shelved'),
    grouped: count(({ audio }) => audio === 'grouped'),
    acknowledged: count(({ state }) => state === 'acknowledged'),
  };
}
