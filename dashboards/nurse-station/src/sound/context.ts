// How a screen reaches the loudspeaker of the page.
import { getContext, setContext } from 'svelte';

import type { BurstName } from './burst';
import type { SoundState, TestResult } from './player';

export interface Sound {
  readonly state: SoundState;
  /** Plays a burst once; an alarm breaks it off. */
  test(name: BurstName): Promise<TestResult>;
  /** After a click: asks the browser to let sound out. */
  unlock(): Promise<void>;
}

const key = Symbol('sound');

/** The loudspeaker; to be called while a component is made. */
export function getSound(): Sound {
  return getContext<Sound>(key);
}

export function setSound(sound: Sound): void {
  setContext(key, sound);
}
