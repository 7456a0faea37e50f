// Serves the page on made-up pictures: states that no gateway shows on demand, and screens without a unit behind them.
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Look {
  picture: string;
  theme?: 'day' | 'dim' | 'night';
  /** Who is here; nobody without one. */
  name?: string;
  hash?: string;
}

export class Fixture {
  readonly #server: ViteDevServer;
  readonly #browsers: Browser[] = [];

  private constructor(server: ViteDevServer) {
    this.#server = server;
  }

  static async serve(): Promise<Fixture> {
    const server = await createServer({
      server: { host: '127.0.0.1', port: 0, hmr: false, watch: null, proxy: {} },
      logLevel: 'error',
    });
    await server.listen();
    return new Fixture(server);
  }

  /** A browser; sound is let out at once unless it is to wait for a person. */
  async browse(sound: 'free' | 'waits' = 'free'): Promise<Browser> {
    const more = sound === 'free' ? ['--autoplay-policy=no-user-gesture-required'] : [];
    const browser = await chromium.launch({
      executablePath: process.env['ECMO_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [...flags, ...more],
    });
    this.#browsers.push(browser);
    return browser;
  }

  /** The page with a picture, once it is painted. Errors of the page are errors of the test. */
  async open(browser: Browser, { picture, theme = 'dim', name = '', hash = '/' }: Look): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, locale: 'en' });
    const page = await context.newPage();
    page.on('pageerror', (error) => {
      throw error;
    });
    const kept = JSON.stringify({ theme, name, language: 'en' });
    await page.addInitScript((kept) => {
      localStorage.setItem('nurse-station', kept);
    }, kept);
    const address = this.#server.resolvedUrls?.local[0] ?? '';
    await page.goto(`${address}tests/fixture/?picture=${picture}#${hash}`);
    await page.getByTestId('bar').waitFor({ timeout: 60_000 });
    return page;
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) await browser.close();
    await this.#server.close();
  }
}
