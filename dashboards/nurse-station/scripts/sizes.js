// Says how large the built page is, plain and compressed, and refuses one that has grown too large.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Most compressed bytes of scripts and styles together: page, worker, four languages, trends. */
const GZ_MAX = 260_000;

const dir = join('dist', 'assets');
let total = 0;
for (const name of readdirSync(dir).sort()) {
  const bytes = readFileSync(join(dir, name));
  const gz = gzipSync(bytes, { level: 9 }).length;
  if (/\.(js|css)$/.test(name)) total += gz;
  console.log(`${name}: ${bytes.length} bytes, ${gz} gz`);
}
console.log(`scripts and styles together: ${total} gz of ${GZ_MAX}`);
if (total > GZ_MAX) {
  console.error('the page has grown too large');
  process.exit(1);
}
