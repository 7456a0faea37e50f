// Runs the tests in a real browser against the real programs; says what is missing before it starts anything.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startVitest } from 'vitest/node';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../../../..');
const page = resolve(here, '../..');
const programs = process.env.ECMO_PROGRAMS ?? join(root, 'target/debug');
process.env.ECMO_PROGRAMS = programs;
process.env.ECMO_ROOT = root;
process.env.ECMO_PAGE ??= join(page, 'dist');
process.env.ECMO_SCREENS ??= join(programs, '../nurse-station/screens');

// `soak` watches the heap for half an hour, `soak 5` for five minutes. What is measured with thirty pumps, `frames`, is no part of
// the whole run: it needs the programs of a release and a machine that does nothing else.
const [first, minutes = '30'] = process.argv.slice(2);
const isSoak = first === 'soak';
if (isSoak) process.env.ECMO_SOAK_S = String(Number(minutes) * 60);
const isMeasured = isSoak || first === 'frames';

const needed = [
  [join(process.env.ECMO_PAGE, 'index.html'), 'the page is not built: npm run build'],
  [join(programs, 'ecmo-gateway'), 'the programs are not built: cargo build --workspace'],
  [join(programs, 'ecmo-agent'), 'the programs are not built: cargo build --workspace'],
  ...(isMeasured ? [] : ['ecmo-demo', 'ecmoctl']).map((program) => [
    join(programs, program),
    'the programs are not built: cargo build --workspace',
  ]),
  [process.env.ECMO_CHROMIUM ?? '/usr/bin/chromium', 'chromium is missing: apt-get install chromium'],
  ['/usr/sbin/mosquitto', 'Mosquitto is missing: apt-get install mosquitto'],
];
const missing = needed.filter(([path]) => !existsSync(path));
for (const [path, what] of missing) console.error(`${what} (${path})`);
if (missing.length > 0) process.exit(2);

rmSync(process.env.ECMO_SCREENS, { recursive: true, force: true });
mkdirSync(process.env.ECMO_SCREENS, { recursive: true });

process.chdir(page);
const vitest = await startVitest('test', isSoak ? ['frames'] : process.argv.slice(2), {
  config: join(here, 'vitest.config.ts'),
  watch: false,
  ...(isSoak ? { testNamePattern: 'soak' } : {}),
  ...(isMeasured ? {} : { exclude: ['**/frames.test.ts'] }),
});
await vitest.close();
