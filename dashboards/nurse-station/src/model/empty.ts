// The picture before anything is known: connecting, no pump, nothing that could look fine.

import { VALUE_SHOWN_MAX_MS } from './freshness';
import type { Picture } from './picture';

export function emptyPicture(atMs: number): Picture {
  return {
    atMs,
    link: {
      state: 'connecting',
      sinceMs: 0,
      why: 'never',
      gateway: '',
      other: null,
      wallMs: null,
      lostAtWallMs: null,
      silenceMs: null,
      delayMs: 0,
      lossAcknowledged: false,
      ownClockOffMs: null,
      mismatch: null,
    },
    bar: {
      pumps: 0,
      live: 0,
      withoutData: 0,
      counts: { high: 0, medium: 0, low: 0, information: 0 },
      acknowledged: 0,
      highest: null,
      unacknowledgedMs: null,
      quietPumps: null,
      unreviewed: 0,
      unlisted: 0,
      missed: 0,
      missedIncomplete: false,
      pause: null,
    },
    tiles: [],
    alarms: [],
    sound: { play: 'none', key: '', silenced: { paused: 0, shelved: 0, grouped: 0, acknowledged: 0 } },
    local: [],
    staleMs: VALUE_SHOWN_MAX_MS,
    historyVersion: 0,
  };
}
