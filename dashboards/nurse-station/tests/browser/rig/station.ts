// A nurse station in chromium: opens it, reads what is painted, takes pictures, and holds it against axe.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core';

import { screens } from './part';
import { until } from './wait';

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** A browser of its own; its folder is new, and goes with it. */
export class Browsing {
  private constructor(readonly browser: Browser) {}

  static async start(more: readonly string[] = []): Promise<Browsing> {
    const browser = await chromium.launch({
      executablePath: process.env['ECMO_CHROMIUM'] ?? '/usr/bin/chromium',
      headless: true,
      chromiumSandbox: false,
      args: [...flags, ...more],
    });
    return new Browsing(browser);
  }

  async end(): Promise<void> {
    await this.browser.close();
  }
}

export interface Opening {
  /** Who stands at this display; nobody says so without it. */
  name?: string;
  role?: string;
  language?: string;
  hash?: string;
  /** Name under which the display attends. */
  display?: string;
  size?: { width: number; height: number };
}

/** What is painted of one pump. */
export interface TileSeen {
  state: string;
  alarmsKnown: boolean;
  values: Record<string, { state: string; number: string }>;
  alarms: { condition: string; priority: string; state: string; occurrence: string; revision: string }[];
  text: string;
}

export class Station {
  /** What the page complained of: errors, and whatever its rules refused. */
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    readonly cdp: CDPSession,
    readonly url: string,
  ) {
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/net::ERR_|Failed to load resource/.test(message.text())) {
        this.complaints.push(message.text());
      }
    });
  }

  /** A page that has not been sent anywhere yet. */
  static async opening(browsing: Browsing, url: string, how: Opening = {}): Promise<Station> {
    const { name = '', role = 'nurse', language = 'en', size = { width: 1920, height: 1080 } } = how;
    const context = await browsing.browser.newContext({ viewport: size, reducedMotion: 'no-preference' });
    await context.addInitScript((kept: string) => {
      if (localStorage.getItem('nurse-station') === null) localStorage.setItem('nurse-station', kept);
    }, JSON.stringify({ name, role, language }));
    const page = await context.newPage();
    page.setDefaultTimeout(8_000);
    const cdp = await context.newCDPSession(page);
    return new Station(context, page, cdp, url);
  }

  /** Opens the page and waits until a first snapshot is painted. */
  static async open(browsing: Browsing, url: string, how: Opening = {}): Promise<Station> {
    const station = await Station.opening(browsing, url, how);
    const query = how.display === undefined ? '' : `?display=${encodeURIComponent(how.display)}`;
    await station.page.goto(`${url}/${query}${how.hash ?? ''}`, { waitUntil: 'load' });
    await station.painted();
    return station;
  }

  /** Until the first snapshot is on the glass. */
  async painted(): Promise<void> {
    await this.page.locator('html[data-ready="yes"]').waitFor({ state: 'attached', timeout: 15_000 });
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  /** A picture in target/nurse-station/screens. */
  async shoot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(screens, `${name}.png`) });
  }

  /** State of the link, as painted. */
  link(): Promise<string> {
    return this.attribute('[data-testid="page"]', 'data-state');
  }

  async attribute(selector: string, name: string): Promise<string> {
    const read = ([which, what]: [string, string]): string =>
      document.querySelector(which)?.getAttribute(what) ?? '(not there)';
    return this.page.evaluate(read, [selector, name] as [string, string]);
  }

  async text(selector: string): Promise<string> {
    return this.page.evaluate(
      (which) => document.querySelector<HTMLElement>(which)?.innerText.trim() ?? '(not there)',
      selector,
    );
  }

  /** Kinds of the banners that are painted. */
  banners(): Promise<string[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll('[data-testid="banner"]')].map(
        (one) => one.getAttribute('data-kind') ?? '',
      ),
    );
  }

  /** One pump, by its name. */
  tile(pump: string): Promise<TileSeen> {
    return this.page.evaluate((key) => {
      const tile = document.querySelector<HTMLElement>(`[data-testid="tile"][data-pump="${key}"]`);
      const of = (one: Element, name: string): string => one.getAttribute(name) ?? '';
      const all = (which: string): Element[] => [...(tile?.querySelectorAll(which) ?? [])];
      const values = all('[data-testid="value"]').map((one) => {
        const number = one.querySelector<HTMLElement>('[data-testid="number"]')?.innerText.trim() ?? '';
        return [of(one, 'data-parameter'), { state: of(one, 'data-state'), number }] as const;
      });
      return {
        state: tile === null ? '(not there)' : of(tile, 'data-state'),
        alarmsKnown: tile !== null && of(tile, 'data-alarms-known') === 'true',
        values: Object.fromEntries(values),
        alarms: all('[data-testid="alarm"]').map((one) => ({
          condition: of(one, 'data-condition'),
          priority: of(one, 'data-priority'),
          state: of(one, 'data-state'),
          occurrence: of(one, 'data-occurrence'),
          revision: of(one, 'data-revision'),
        })),
        text: tile?.innerText ?? '',
      };
    }, `nicu/${pump}`);
  }

  /** Until the link has this state. */
  async linked(state: string, withinMs = 10_000): Promise<void> {
    await until(
      `link is ${state}`,
      () => this.link(),
      (seen) => seen === state,
      withinMs,
    );
  }

  /** Until a pump is painted as it should be. */
  tileIs(
    pump: string,
    what: string,
    fits: (tile: TileSeen) => boolean,
    withinMs = 10_000,
  ): Promise<TileSeen> {
    return until(`${pump}: ${what}`, () => this.tile(pump), fits, withinMs);
  }

  /** Until a pump has an alarm of this condition, in this state when one is named. */
  alarmed(pump: string, condition: string, state?: string, withinMs = 15_000): Promise<TileSeen> {
    const fits = (tile: TileSeen): boolean =>
      tile.alarms.some((alarm) => alarm.condition === condition && (state ?? alarm.state) === alarm.state);
    return this.tileIs(pump, `${condition} ${state ?? ''}`, fits, withinMs);
  }

  /** Notes, in the page itself, when an element comes to fit; what is returned waits for that: milliseconds since 1970. */
  async notes(selector: string): Promise<(withinMs?: number) => Promise<number>> {
    const key = `seen${String(Math.random()).slice(2)}`;
    await this.page.evaluate(
      ([which, name]) => {
        const all = globalThis as unknown as Record<string, number>;
        const look = (): void => {
          if (document.querySelector(which ?? '') === null) return;
          // After the frame in which it is painted.
          requestAnimationFrame(() => {
            all[name ?? ''] ??= performance.timeOrigin + performance.now();
          });
          observer.disconnect();
        };
        const observer = new MutationObserver(look);
        observer.observe(document, { subtree: true, childList: true, attributes: true });
        look();
      },
      [selector, key],
    );
    const ask = (): Promise<number> =>
      this.page.evaluate((name) => (globalThis as unknown as Record<string, number>)[name] ?? 0, key);
    return (withinMs = 5_000) => until(`painted: ${selector}`, ask, (at) => at > 0, withinMs);
  }

  /** What axe finds wrong on the screen, one line each. */
  async axe(what: 'all' | 'colours' = 'all'): Promise<string[]> {
    const require = createRequire(import.meta.url);
    const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
    // By the debugger, because the page's own rules let no foreign script in.
    await this.cdp.send('Runtime.evaluate', { expression: source });
    const found = await this.page.evaluate(async (rules) => {
      const { axe } = globalThis as unknown as {
        axe: {
          run: (
            options: object,
          ) => Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }>;
        };
      };
      const { violations } = await axe.run(rules === 'all' ? {} : { runOnly: ['color-contrast'] });
      return violations.map(
        ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((it) => it.html.slice(0, 160)).join(' | ')}`,
      );
    }, what);
    return found;
  }
}
