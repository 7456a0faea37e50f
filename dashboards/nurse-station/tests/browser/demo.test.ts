// What a newcomer does: one command, and a browser.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { freePort, Part, program } from './rig/part';
import { Browsing, Station } from './rig/station';
import { until } from './rig/wait';

let folder: string;
let demo: Part;
let browsing: Browsing;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nurse-station-'));
  port = await freePort();
  const metrics = await freePort();
  const address = (at: number): string => `127.0.0.1:${String(at)}`;
  const args = ['--bind', address(port), '--metrics', address(metrics), '--pumps', '2'];
  demo = new Part('demo', program('ecmo-demo'), args, folder);
  browsing = await Browsing.start();
});

afterAll(async () => {
  await browsing.end();
  await demo.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('cargo demo says where the nurse station is, and it shows every pump live', async () => {
  demo.start();
  const url = `http://127.0.0.1:${String(port)}/`;
  await until(
    'the demo says where',
    () => readFileSync(demo.log, 'utf8'),
    (said) => said.includes(`open ${url}`),
    40_000,
  );
  const station = await Station.open(browsing, url.replace(/\/$/, ''), { display: 'newcomer' });
  await until(
    'every pump is live',
    () => station.text('[data-testid="live-count"]'),
    (text) => text.startsWith('2 of 2'),
    20_000,
  );
  expect(station.complaints).toEqual([]);
});
