// Which rows of a list of alarms a person can see now: a row that is filtered away or scrolled out is not shown.
import { SvelteSet } from 'svelte/reactivity';

/** Keys of the rows within the window. */
export const rowsInView = new SvelteSet<string>();

/** Share of a row that must be within the window. */
const SHARE = 0.6;

/** Watches the element of a row; to be attached to it. Two elements of one row do not undo each other: the last word counts. */
export function inView(key: string): (element: Element) => () => void {
  return (element) => {
    const watch = new IntersectionObserver(
      (entries) => {
        const isSeen = entries.at(-1)?.isIntersecting ?? false;
        if (isSeen) rowsInView.add(key);
        else rowsInView.delete(key);
      },
      { threshold: SHARE },
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      rowsInView.delete(key);
    };
  };
}
