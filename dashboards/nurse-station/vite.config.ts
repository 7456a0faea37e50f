// How the page is built, served while it is written, and unit-tested.
import { readFileSync } from 'node:fs';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const gateway = process.env['GATEWAY'] ?? 'http://127.0.0.1:8080';
const about = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export default defineConfig({
  base: './',
  plugins: [svelte()],
  define: { __VERSION__: JSON.stringify(about.version) },
  build: { target: 'es2023', sourcemap: false, reportCompressedSize: true, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  server: { host: '127.0.0.1', proxy: { '/ecmo.v1.': gateway, '/ui/': gateway } },
  test: { include: ['tests/unit/**/*.test.ts'], environment: 'node' },
});
