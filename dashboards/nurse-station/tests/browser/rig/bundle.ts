// Puts a module of the page into a script for a page of its own: drawing and sound are tried without the rest.
import { resolve } from 'node:path';

import { build } from 'vite';

/** The script of a module; what it exports is `globalThis.subject`. */
export async function bundle(module: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      lib: { entry: resolve(module), formats: ['iife'], name: 'subject' },
    },
  });
  const outputs = Array.isArray(built) ? built : [built];
  for (const each of outputs) {
    if (!('output' in each)) continue;
    const chunk = each.output.find((part) => part.type === 'chunk');
    if (chunk !== undefined) return `${chunk.code}\nglobalThis.subject = subject;`;
  }
  throw new Error(`nothing was built of ${module}`);
}
