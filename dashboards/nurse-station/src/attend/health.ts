// What the screens say about themselves, for the gateway: whether alarms are heard, and which rows are on the glass.

export type AudioOutput = 'on' | 'blocked' | 'none';

/** The screens call these; what they say goes with each renewal of the lease. */
export interface Health {
  /** Whether alarms can be heard now. Until it is said, "none" is reported. */
  setAudio(audio: AudioOutput): void;
  /** Which rows a person could see in what is painted now, by key; null for all. Unseen rows are not confirmed. */
  setVisibleRows(keys: ReadonlySet<string> | null): void;
  /** Wards that this display shows; empty for all. */
  readonly wards: readonly string[];
}
