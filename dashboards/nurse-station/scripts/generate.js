// Makes the TypeScript of ../../proto in src/wire/gen, when a .proto is newer than what was made.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = join(dirname(fileURLToPath(import.meta.url)), '..');
const proto = join(here, '..', '..', 'proto');
const out = join(here, 'src', 'wire', 'gen');
const stamp = join(out, '.made');
const plugin = join(here, 'node_modules', '.bin', 'protoc-gen-es');

const files = readdirSync(join(proto, 'ecmo', 'v1'))
  .filter((name) => name.endsWith('.proto'))
  .map((name) => join(proto, 'ecmo', 'v1', name));
const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
if (!existsSync(stamp) || statSync(stamp).mtimeMs <= newest) {
  make();
}

function make() {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const options = [`--proto_path=${proto}`, `--plugin=protoc-gen-es=${plugin}`, `--es_out=${out}`];
  try {
    execFileSync('protoc', [...options, '--es_opt=target=ts,import_extension=none', ...files], {
      stdio: 'inherit',
    });
  } catch (error) {
    const missing = error.code === 'ENOENT';
    console.error(
      missing ? 'protoc is missing: install protobuf-compiler' : `protoc failed: ${error.message}`,
    );
    process.exit(1);
  }
  writeFileSync(stamp, '');
}
