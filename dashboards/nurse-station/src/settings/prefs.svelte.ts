// What this display keeps for itself: who stands here, role, theme, language, width of the sweeps, volumes.
import type { Who } from '../act/door';
import { holdVolumes, usualVolumes, type Volumes } from '../sound/volume';
import { themeNames, type ThemeName } from '../shell/tokens';
import { language, languageFor, languages, setLanguage, type Language } from '../words/say';

import { isAllowed, isRole, may, type Role, type Task } from './roles';

/** Under which name the browser keeps them. */
const KEY = 'nurse-station';

/** Seconds that a sweep may be wide. */
export const sweepSeconds = [6, 10, 15, 30] as const;

/** Longest name that the gateway is told. */
export const NAME_MAX = 64;

interface Kept {
  name?: unknown;
  role?: unknown;
  theme?: unknown;
  language?: unknown;
  seconds?: unknown;
  volumes?: unknown;
}

function read(): Kept {
  try {
    const text = globalThis.localStorage.getItem(KEY);
    const kept: unknown = text === null ? {} : JSON.parse(text);
    return typeof kept === 'object' && kept !== null ? kept : {};
  } catch {
    // A browser that keeps nothing, or kept something else: the page works with what it begins with.
    return {};
  }
}

class Prefs {
  name = $state('');
  role = $state<Role>('nurse');
  /** Who the gateway takes the person here for, where it asks; never kept. */
  private who = $state.raw<Who | null>(null);
  /** A session has ended by itself, and nobody has signed in since. */
  isOver = $state(false);
  theme = $state<ThemeName>('dim');
  seconds = $state<number>(6);
  /** Each 0 to 1, within its floor. */
  volumes = $state.raw<Volumes>(usualVolumes);

  constructor() {
    const kept = read();
    if (typeof kept.name === 'string') this.name = kept.name.slice(0, NAME_MAX);
    if (isRole(kept.role)) this.role = kept.role;
    const theme = themeNames.find((each) => each === kept.theme);
    if (theme !== undefined) this.theme = theme;
    const seconds = sweepSeconds.find((each) => each === kept.seconds);
    if (seconds !== undefined) this.seconds = seconds;
    if (typeof kept.volumes === 'object' && kept.volumes !== null) {
      this.volumes = holdVolumes({ ...usualVolumes, ...kept.volumes });
    }
    const spoken = languages.find((each) => each === kept.language);
    setLanguage(spoken ?? languageFor(globalThis.navigator?.languages ?? []));
  }

  get language(): Language {
    return language();
  }

  set language(next: Language) {
    setLanguage(next);
    this.keep();
  }

  /** Whether the gateway asks people who they are. */
  get asked(): boolean {
    return this.who !== null;
  }

  /** Whether there is a break-glass PIN. */
  get hasPin(): boolean {
    return this.who?.hasPin ?? false;
  }

  /** Whether the person here is offered the button of a task. */
  may(task: Task): boolean {
    return this.who === null ? may(this.role, task) : isAllowed(this.who.allowed, task);
  }

  /** What the gateway says of the person here: then that is the name, and no other. */
  take(next: Who): void {
    if (!next.asked) {
      this.who = null;
      this.isOver = false;
      return;
    }
    const before = this.who?.name ?? '';
    this.isOver = next.name === '' && (before !== '' || this.isOver);
    this.who = next;
    this.name = next.name;
  }

  /** The person here has signed out. */
  signedOut(): void {
    if (this.who !== null) this.who = { ...this.who, name: '', allowed: [], breakGlass: false };
    this.name = '';
    this.isOver = false;
  }

  /** Keeps what was changed; to be called after a change. */
  keep(): void {
    const { role, theme, seconds, volumes } = this;
    const text = JSON.stringify({
      name: this.asked ? '' : this.name,
      role,
      theme,
      seconds,
      volumes,
      language: language(),
    });
    try {
      globalThis.localStorage.setItem(KEY, text);
    } catch {
      // Nothing can be kept here: it holds until the page is closed.
    }
  }
}

/** The settings of this display. */
export const prefs = new Prefs();
