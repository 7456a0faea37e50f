// A question about trends and its answer: least and greatest value of each bin, gaps with their reason, alarm marks.

/** Why a bin holds no value. */
export type GapReason =
  | 'not-recorded'
  | 'no-data'
  | 'invalid'
  | 'link-lost'
  | 'not-fitted'
  | 'below-range'
  | 'above-range'
  | 'not-kept'
  | 'not-running'
  | 'not-received'
  | 'agent-restarted'
  | 'disk'
  | 'clock-set'
  | 'damaged';

/** One parameter over a span. Bins are of equal length; all arrays have one entry a bin, the oldest first. */
export interface TrendSeries {
  parameter: string;
  unit: string;
  /** Least and greatest value of each bin; null where nothing was measured. Never NaN. */
  low: (number | null)[];
  high: (number | null)[];
  /** Why a bin is empty; null where it is not. */
  gap: (GapReason | null)[];
}

export interface TrendAnswer {
  /** Gateway wall time of the start of the first bin, in ms since 1970; bins are placed by the gateway's monotonic clock. */
  startWallMs: number;
  binMs: number;
  bins: number;
  series: TrendSeries[];
  /** Alarms of the pump that began within the span: marks on the time axis. */
  marks: {
    wallMs: number;
    endWallMs: number | null;
    condition: string;
    priority: 'high' | 'medium' | 'low' | 'information';
  }[];
  /** Who has kept it: the gateway, or this display alone since it was opened. */
  source: 'gateway' | 'display';
  /** Records of the gateway that are damaged: what was in them is missing. */
  damaged: number;
}

export interface TrendQuestion {
  ward: string;
  pump: string;
  parameters: string[];
  /** Up to 72 h. The gateway answers some 720 bins; this display alone bins of 5 s up to 1 h, and of 5 min beyond. */
  spanMs: number;
}

/** Samples of the last seconds, for an event strip; times are gateway wall ms since 1970, NaN-free: a gap is null. */
export interface Strip {
  parameter: string;
  unit: string;
  startWallMs: number;
  stepMs: number;
  values: (number | null)[];
}
