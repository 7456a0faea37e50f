// A page and a gateway of different versions: by another contract of messages, and by another build of the page after an upgrade.
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { dist } from './rig/part';
import { Browsing, Station } from './rig/station';
import { Unit } from './rig/unit';
import { until } from './rig/wait';

let folder: string;
let page: string;
let unit: Unit;
let browsing: Browsing;
let station: Station;

/** Makes of a page one that was built earlier: other words in its scripts, and so other names of these. */
function rebuild(of: string, words: readonly (readonly [string, string])[]): void {
  const assets = join(of, 'assets');
  const scripts = readdirSync(assets).filter((name) => name.endsWith('.js'));
  const names = scripts.map((name) => [name, name.replace(/-[^-]*\.js$/, '-before.js')] as const);
  for (const path of [
    ...scripts.map((name) => join(assets, name)),
    join(of, 'build.json'),
    join(of, 'index.html'),
  ]) {
    const text = [...words, ...names].reduce(
      (before, [from, to]) => before.replaceAll(from, to),
      readFileSync(path, 'utf8'),
    );
    writeFileSync(path, text);
  }
  for (const [from, to] of names) renameSync(join(assets, from), join(assets, to));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nurse-station-page-'));
  page = join(folder, 'page');
  cpSync(dist, page, { recursive: true });
  unit = await Unit.start({ pumps: [{ name: 'pump-1' }], page });
  const settings = await fetch(`${unit.main.url}/ui/settings.json`);
  const { build, contract } = (await settings.json()) as { build: string; contract: string };
  // The page that is served first was built earlier, for other messages.
  await unit.main.part.kill();
  const other = '0'.repeat(16);
  rebuild(page, [
    [contract, other],
    [build, other],
  ]);
  unit.main.part.start();
  await unit.ready(unit.main);
  browsing = await Browsing.start();
  station = await Station.open(browsing, unit.main.url, { name: 'Ann', display: 'desk' });
});

afterAll(async () => {
  await browsing.end();
  await unit.end();
  rmSync(folder, { recursive: true, force: true });
});

test('version mismatch: a page that speaks another contract than its gateway says so, over everything that it shows', async () => {
  await station.linked('mismatch', 8_000);
  expect(await station.banners()).toContain('mismatch');
  await station.tileIs('pump-1', 'live', (seen) => seen.state === 'live');
  await station.shoot('overview-mismatch');
});

test('after an upgrade of gateway and page, the page loads itself anew when there is no alarm, and is whole', async () => {
  await unit.main.part.kill();
  renameSync(page, join(folder, 'before'));
  cpSync(dist, page, { recursive: true });
  const loaded = station.page.waitForEvent('load', { timeout: 40_000 });
  unit.main.part.start();
  await loaded;
  await until(
    'no mismatch is left',
    async () => [await station.link(), ...(await station.banners())],
    ([link, ...banners]) => (link === 'synced' || link === 'changed') && !banners.includes('mismatch'),
    15_000,
  );
  await station.tileIs('pump-1', 'live', (seen) => seen.state === 'live', 15_000);
  expect(station.complaints).toEqual([]);
}, 90_000);
