// The look of a priority as a class of the style sheet. Pure.
import type { Priority } from '../model/picture';

/** `signal-high` flashes while it calls for a person; `known-high` is steady and outlined: somebody has it in hand. */
export function signalClass(priority: Priority, signals: boolean): string {
  if (priority === 'information') return 'signal-information';
  return signals ? `signal-${priority}` : `known-${priority}`;
}
