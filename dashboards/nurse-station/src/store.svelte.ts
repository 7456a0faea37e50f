// What the screens read: the picture of now, replaced whole at each paint tick.

import { emptyPicture } from './model/empty';
import type { Picture } from './model/picture';

/** Reading `picture` in a component or effect follows it. */
export class Store {
  picture = $state.raw<Picture>(emptyPicture(0));
  /** Counts the workers: one that was begun anew has no canvas. */
  generation = $state(0);
}
