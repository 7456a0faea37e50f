// What the gateway knows of a pump's agent, clock and record: asked for by the screen of a single pump.

export interface DevicePicture {
  /** How the agent's clock lies against the gateway's; null before the first probe was answered. */
  clock: { uncertaintyMs: number; roundTripMs: number; wallDifferenceMs: number | null } | null;
  /** What the agent last said of itself; null before its first heartbeat. */
  agent: {
    heardAgeMs: number | null;
    /** Null when nothing is kept on the agent's disk. */
    spool: 'recording' | 'full' | 'failed' | 'behind' | null;
    /** Null when the agent runs no rules. */
    localAlarm: { leased: boolean; sounding: boolean; failed: boolean } | null;
    sources: { device: string; state: 'live' | 'silent' | 'off' }[];
  } | null;
  /** Frames that the gateway has; null when it keeps none. */
  completeness: { kept: number; missing: number; lost: number; recording: boolean } | null;
  /** Channels that the gateway does not read, and why. */
  refused: { id: string; reason: string }[];
}
