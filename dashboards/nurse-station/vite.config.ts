// How the page is built, served while it is written, and unit-tested.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const gateway = process.env['GATEWAY'] ?? 'http://127.0.0.1:8080';
const about = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** Names a build by what it is made of: the page compares its own with the one that the gateway serves now. */
function buildOf(): string {
  const hash = createHash('sha256');
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.includes('.'),
  );
  for (const name of ['package-lock.json', 'index.html', ...files.sort().map((file) => join('src', file))]) {
    hash.update(name).update(readFileSync(name));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Digest of the messages' descriptors, FNV-1a in 64 bits: a gateway tells the same of its own in settings.json. */
function contractOf(): string {
  let sum = 0xcbf29ce484222325n;
  for (const byte of readFileSync('../../proto/src/gen/descriptor.bin')) {
    sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 0x100000001b3n);
  }
  return sum.toString(16).padStart(16, '0');
}

/** Writes the build's name beside the page. */
function buildFile(build: string): Plugin {
  return {
    name: 'build-file',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'build.json', source: `${JSON.stringify({ build })}\n` });
    },
  };
}

const build = buildOf();

export default defineConfig({
  base: './',
  plugins: [svelte(), buildFile(build)],
  define: {
    __VERSION__: JSON.stringify(about.version),
    __BUILD__: JSON.stringify(build),
    __CONTRACT__: JSON.stringify(contractOf()),
  },
  build: { target: 'es2023', sourcemap: false, reportCompressedSize: true, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  server: { host: '127.0.0.1', proxy: { '/ecmo.v1.': gateway, '/ui/': gateway } },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
});
