// The tab guard: a browser gives a gateway six connections for all its tabs together, so the third tab lets go of its streams.

/** Tabs of one browser that may hold streams at a time. */
export const TABS_MAX = 2;

/** A tab that has not spoken for longer is gone; a hidden one speaks once a second. */
const GONE_MS = 5_000;

interface Tab {
  id: string;
  /** When it was opened: the older one goes first. */
  opened: number;
  heardAt: number;
}

/** Which tabs there are, and whether this one must rest. */
export class Tabs {
  private readonly others = new Map<string, Tab>();

  constructor(
    private readonly id: string,
    private readonly opened: number,
  ) {}

  heard(id: string, opened: number, now: number): void {
    if (id !== this.id) this.others.set(id, { id, opened, heardAt: now });
  }

  left(id: string): void {
    this.others.delete(id);
  }

  mustRest(now: number): boolean {
    for (const { id, heardAt } of this.others.values()) {
      if (now - heardAt > GONE_MS) this.others.delete(id);
    }
    const isBefore = (tab: Tab): boolean => {
      return tab.opened < this.opened || (tab.opened === this.opened && tab.id < this.id);
    };
    return [...this.others.values()].filter(isBefore).length >= TABS_MAX;
  }
}

interface Word {
  id: string;
  opened: number;
  left: boolean;
}

/** Speaks with the other tabs of this browser, and says whether this one must rest. */
export function guardTabs(onRest: (resting: boolean) => void): void {
  // Several streams share one connection there: nothing starves.
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  if (navigation?.nextHopProtocol === 'h2' || navigation?.nextHopProtocol === 'h3') return;
  const own = { id: Math.random().toString(36).slice(2), opened: performance.timeOrigin };
  const tabs = new Tabs(own.id, own.opened);
  const channel = new BroadcastChannel('nurse-station');
  let resting = false;
  const judge = (): void => {
    const must = tabs.mustRest(performance.now());
    if (must === resting) return;
    resting = must;
    onRest(must);
  };
  channel.onmessage = ({ data }: MessageEvent<Word>): void => {
    if (data.left) tabs.left(data.id);
    else tabs.heard(data.id, data.opened, performance.now());
    judge();
  };
  const speak = (left: boolean): void => {
    channel.postMessage({ ...own, left } satisfies Word);
  };
  speak(false);
  setInterval(() => {
    speak(false);
    judge();
  }, 1_000);
  addEventListener('pagehide', () => {
    speak(true);
  });
}
