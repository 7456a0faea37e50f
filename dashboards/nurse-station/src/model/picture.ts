// What is to be painted: plain data, made anew at each paint tick. Ages and times left are milliseconds; null is "not known".

/** State of the link of the whole screen; the worst that holds. */
export type LinkState =
  'connecting' | 'synced' | 'changed' | 'delayed' | 'telemetry-only' | 'alarms-only' | 'mismatch' | 'lost';

/** Why a link is not known. */
export type LinkWhy = 'never' | 'ended' | 'silent' | 'gap' | 'epoch' | 'worker';

export type Priority = 'high' | 'medium' | 'low' | 'information';

export interface LinkPicture {
  state: LinkState;
  /** For how long it has been in this state. */
  sinceMs: number;
  why: LinkWhy | null;
  /** Name of the gateway, or its address while it has not said its name. */
  gateway: string;
  /** The gateway that is tried next when this one is lost; null when there is only one. */
  other: string | null;
  /** The gateway's wall clock now, in ms since 1970; for labels only. Null before its first heartbeat and once lost for long. */
  wallMs: number | null;
  /** The gateway's wall clock when the link was lost, in ms since 1970; null while it is not lost or never was known. */
  lostAtWallMs: number | null;
  /** How old the newest word of the alarms is; null while they are not known. */
  silenceMs: number | null;
  /** How old the picture is because messages queued up. */
  delayMs: number;
  /** A loss that a person has acknowledged here: its sound is heard once a minute only. */
  lossAcknowledged: boolean;
  /** How far this computer's wall clock is ahead of the gateway's, in ms, when by more than 5 s; else null. */
  ownClockOffMs: number | null;
  /** Versions that differ, for the mismatch banner: what the gateway serves, and what this page is. */
  mismatch: { gateway: string; page: string } | null;
}

/** State of one value, from best to worst. */
export type ValueState = 'live' | 'standby' | 'late' | 'stale' | 'invalid' | 'never-seen' | 'not-fitted';

/** Why a value is no measurement. */
export type Reason =
  | 'questionable'
  | 'below-range'
  | 'above-range'
  | 'not-measured'
  | 'sensor-off'
  | 'sensor-fault'
  | 'calibrating'
  | 'repeated'
  | 'simulated'
  | 'comm-lost';

export interface Limit {
  rule: string;
  /** In the unit of the value. */
  value: number;
  priority: Priority;
  /** A person has set it: it is not the profile's. */
  changed: boolean;
}

export interface Value {
  /** Parameter id, such as flow.blood. */
  parameter: string;
  /** UCUM code, such as mL/min. */
  unit: string;
  state: ValueState;
  /** The number to show: only while live, late or standby. Null in every other state, whatever was known. */
  value: number | null;
  reason: Reason | null;
  /** Age of the newest sample, with everything that it waited. */
  ageMs: number | null;
  /** The last valid value, for the detail view only, always with its age. */
  last: { value: number; ageMs: number } | null;
  /** The limit that is nearest to be crossed on either side; null without one, or while limits are not known. */
  low: Limit | null;
  high: Limit | null;
  /** Which limit an active alarm says is crossed. */
  crossed: 'low' | 'high' | null;
  /** The most urgent active alarm that watches this parameter; null without one. */
  alarm: { priority: Priority; signals: boolean } | null;
}

export type AudioState = 'on' | 'off' | 'paused' | 'shelved' | 'grouped';

/** One alarm: one row, whichever gateways tell of it. */
export interface AlarmRow {
  /** Stable while the row is there; for keyed lists. */
  key: string;
  occurrence: string;
  /** An acknowledgement names this revision: what was shown. */
  revision: number;
  coversFrom: number;
  /** How often the row has called for a person on this display. */
  call: number;
  ward: string;
  /** Empty for a condition of a gateway itself. */
  pump: string;
  /** Bed as people call it; empty when nobody has said. */
  bed: string;
  /** Condition id; texts are keyed by it. */
  condition: string;
  kind: 'physiological' | 'technical';
  priority: Priority;
  /** latched: the condition is gone and nobody has acknowledged it. */
  state: 'active' | 'acknowledged' | 'latched' | 'ended';
  /** It cannot be judged now, because data is missing or no gateway that holds it is heard: ACTIVE, LAST KNOWN. */
  lastKnown: boolean;
  /** No gateway that holds it is heard: to be struck and dated. */
  unheard: boolean;
  /** Calls for a person. */
  signals: boolean;
  /** Is heard, as far as this display may sound. */
  sounds: boolean;
  parameter: string;
  unit: string;
  value: number | null;
  valueAgeMs: number | null;
  worst: number | null;
  limit: number | null;
  side: 'below' | 'above' | null;
  reason: Reason | null;
  /** Wall time of the onset in ms since 1970, by the gateway; a label. */
  onsetWallMs: number;
  /** Time since the onset; null when the gateway's clock is not known. */
  sinceMs: number | null;
  ackBy: string;
  ackNote: string;
  ackAgeMs: number | null;
  audio: AudioState;
  /** What is left of a pause or shelf. */
  audioLeftMs: number | null;
  audioBy: string;
  pauseScope: 'alarm' | 'pump' | 'ward' | null;
  /** Condition id of the alarm whose consequence it is; empty when none. */
  ledBy: string;
  rule: string;
  escalated: boolean;
  reminders: number;
  /** Of another ward: none of its own displays has confirmed it. */
  redirected: boolean;
  unreviewed: boolean;
  /** Name of the gateway whose word it is. */
  gateway: string;
  /** Every gateway that holds it. */
  toldBy: string[];
  /** An acknowledgement can be sent: it signals, a gateway that holds it is heard. */
  canAcknowledge: boolean;
}

export type ContextName =
  | 'priming'
  | 'cannulation'
  | 'clamp-trial'
  | 'wean'
  | 'circuit-change'
  | 'transport'
  | 'suctioning'
  | 'zeroing'
  | 'other';

export interface ContextPicture {
  kind: ContextName;
  by: string;
  leftMs: number | null;
}

export interface OwnershipPicture {
  /** Empty while nobody looks after the pump. */
  owner: string;
  sinceMs: number | null;
  offeredTo: string;
  offerLeftMs: number | null;
  lastOffer: 'accepted' | 'rejected' | 'lapsed' | null;
  /** The whole ward is asked. */
  unanswered: boolean;
}

/** Where data of one pump stands. "unheard" is this display's own ignorance; the others are the gateway's word. */
export type DataState = 'live' | 'late' | 'stale' | 'silent' | 'stopped' | 'never-seen' | 'unheard';

export interface Tile {
  /** "WARD/PUMP"; for keyed lists and routes. */
  key: string;
  ward: string;
  pump: string;
  bed: string;
  /** Place in the grid, from 0. A pump never moves by itself: a new one takes the next free place. */
  place: number;
  data: DataState;
  /** Age of the newest frame. */
  ageMs: number | null;
  /** For how long data has been waited for (never seen), or missing. */
  waitingMs: number | null;
  /** Nothing proves that the data is no older than it looks. */
  ageUnproven: boolean;
  pumpState: 'running' | 'stopped' | 'standby' | 'unknown';
  /** Every reading that the gateway tells of, in its order. Use `valueOf` for a parameter that may not be fitted. */
  values: Value[];
  /** Most urgent first, newest first among alike. */
  alarms: AlarmRow[];
  /** False: ALARMS NOT SHOWN HERE. Never paint "no alarms" then. */
  alarmsKnown: boolean;
  ownership: OwnershipPicture;
  /** The longest pause among its alarms. */
  pause: { leftMs: number; scope: 'alarm' | 'pump' | 'ward'; by: string } | null;
  /** Limits that differ from the profile's. */
  limitsChanged: number;
  limitsKnown: boolean;
  contexts: ContextPicture[];
  power: { mains: boolean | null; charge: number | null; minutesLeft: number | null };
  /** Channels without a measurement now. */
  sensorsOff: number;
  /** The wall clocks of agent and gateway differ by more than 1 s, by so much; else null. */
  clockOffMs: number | null;
  unreviewed: boolean;
  rulesNotJudged: number;
  source: 'measured' | 'simulated' | 'replayed';
  pumpKind: 'centrifugal' | 'roller' | null;
  device: string;
  agentVersion: string;
  treatmentVersion: number;
  /** Name of the gateway whose word the numbers are. */
  gateway: string;
  counts: { received: number; missing: number; dropouts: number; boots: number };
  paths: { name: string; connected: boolean; ageMs: number | null }[];
}

export interface Bar {
  pumps: number;
  live: number;
  /** Pumps of which nothing is known now: late pumps are not among them. */
  withoutData: number;
  /** Rows that call for a person, by priority. */
  counts: Record<Priority, number>;
  acknowledged: number;
  /** The most urgent row that calls for a person, else the most urgent one at all. */
  highest: AlarmRow | null;
  /** How long the oldest unacknowledged high alarm has been so; null without one. */
  unacknowledgedMs: number | null;
  /** "No alarms" may be said of so many pumps; of the others nothing may be said. Null: of none. */
  quietPumps: number | null;
  /** Pumps judged by a profile that no clinician has signed. */
  unreviewed: number;
  /** Alarms that the gateway holds and this display has no room for. */
  unlisted: number;
  missed: number;
  missedIncomplete: boolean;
  /** The longest pause that holds now, of any pump. */
  pause: { leftMs: number; by: string; alarms: number } | null;
}

/** What must be heard now; the most urgent only. lost-quiet: the loss is acknowledged here, once a minute. */
export type Burst = 'lost' | 'high' | 'medium' | 'technical' | 'low' | 'lost-quiet' | 'none';

export interface SoundPicture {
  play: Burst;
  /** Another one than before: something new calls, and its burst begins at once. */
  key: string;
  /** Rows that would sound and do not, by cause. */
  silenced: { paused: number; shelved: number; grouped: number; acknowledged: number };
}

/** Something about this display itself that its people must know. */
export interface LocalNotice {
  kind:
    'slow' | 'no-sound' | 'other-tab' | 'not-counted' | 'clock-off' | 'unlisted' | 'worker-lost' | 'reload';
  priority: Priority;
}

export interface Picture {
  /** Of when it is, by the page's performance.now(). */
  atMs: number;
  link: LinkPicture;
  bar: Bar;
  /** By place. */
  tiles: Tile[];
  /** Every row, most urgent first. */
  alarms: AlarmRow[];
  sound: SoundPicture;
  local: LocalNotice[];
  /** A value that is older is not shown; as the site has set it. */
  staleMs: number;
  /** Changes when `Station.history()` would answer something new. */
  historyVersion: number;
}

/** A line of the history of this display, the newest first. */
export interface HistoryLine {
  number: number;
  what:
    | 'raised'
    | 'returned'
    | 'latched'
    | 'acknowledged'
    | 'worsened'
    | 'escalated'
    | 'ended'
    | 'ended-unheard'
    | 'forgotten'
    | 'data-lost'
    | 'data-back'
    | 'paused'
    | 'heard'
    | 'missed'
    | 'link-lost'
    | 'link-back'
    | 'gateway-changed'
    | 'limit-changed'
    | 'context'
    | 'owner';
  /** Gateway wall time in ms since 1970; null when the gateway's clock was not known. */
  wallMs: number | null;
  /** The row as it was then; null for a line about the link. */
  row: AlarmRow | null;
  /** Who did it, or the name of the gateway. */
  by: string;
}

export interface History {
  version: number;
  lines: HistoryLine[];
  /** Came and went without being painted here. */
  missed: { row: AlarmRow; unheard: boolean }[];
  missedIncomplete: boolean;
}
