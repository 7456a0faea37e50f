// The page's side of the worker, as the screens see it.

import type { DevicePicture } from '../model/device';
import type { History } from '../model/picture';
import type { Strip, TrendAnswer, TrendQuestion } from '../model/trend';

export interface SweepLane {
  parameter: string;
  /** Values at the lower and upper edge of the lane. */
  low: number;
  high: number;
  colour: string;
}

/** Where a sweep lies on its surface, in CSS pixels. */
export interface SweepPlace {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Size and colour of a canvas. */
export interface SurfaceLook {
  /** CSS pixels. */
  width: number;
  height: number;
  /** Device pixels a CSS pixel. */
  ratio: number;
  /** Where no sweep lies. */
  ground: string;
}

export interface SweepOptions {
  ward: string;
  pump: string;
  lanes: SweepLane[];
  place: SweepPlace;
  /** Time from the left edge to the right one, in seconds. */
  seconds: number;
  ground: string;
  hatch: string;
}

export interface SweepHandle {
  move(place: SweepPlace): void;
  palette(colours: { lanes: string[]; ground: string; hatch: string }): void;
  /** Stops only the picture; the samples go on. */
  freeze(frozen: boolean): void;
  detach(): void;
}

/** One canvas with any number of sweeps: each canvas costs as much for a picture as the drawing of ten sweeps. */
export interface Surface {
  dress(look: SurfaceLook): void;
  sweep(options: SweepOptions): SweepHandle;
  detach(): void;
}

export interface Station {
  /** Another one, and every canvas that was handed over is drawn on no more: a new one is needed. May be followed. */
  readonly generation: number;
  /** Hands a canvas to the worker, which draws on it from then on. */
  attachSurface(canvas: OffscreenCanvas, look: SurfaceLook): Surface;
  trend(question: TrendQuestion): Promise<TrendAnswer>;
  /** The last seconds of samples of these parameters, for an event strip. */
  strip(ward: string, pump: string, parameters: string[], seconds: number): Promise<Strip[]>;
  history(): Promise<History>;
  /** What the gateway knows of a pump's agent and record; null while it tells of no such pump. */
  device(ward: string, pump: string): Promise<DevicePicture | null>;
  /** A person has read what was missed. */
  forgetMissed(): void;
  /** A person has acknowledged, here, that the gateway is lost. */
  acknowledgeLoss(): void;
}
