// Where people sign in and out, and who they are to the gateway.

import type { Outcome } from './act';

/** Who the gateway takes this display's person for. */
export interface Who {
  /** Whether the gateway asks people who they are; otherwise a name is only said. */
  asked: boolean;
  /** Whether there is a break-glass PIN. */
  hasPin: boolean;
  /** The name that is recorded; empty while nobody has signed in. */
  name: string;
  /** Came in by the PIN. */
  breakGlass: boolean;
  /** The calls that this person may make and that need one, such as AlarmService/AcknowledgeAlarm. */
  allowed: string[];
}

export interface Door {
  /** Signs in at every gateway that is known; the one that is heard decides. */
  signIn(name: string, secret: string, byPin: boolean): Promise<Outcome<Who>>;
  signOut(): Promise<Outcome>;
  who(): Promise<Outcome<Who>>;
}
