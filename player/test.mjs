// Bundles the tests of a folder for Node and runs them. Usage: node test.mjs FOLDER
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = process.argv[2] ?? 'test';
const out = await mkdtemp(join(tmpdir(), 'obvan-player-'));
const tests = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
await build({
  entryPoints: tests.map((name) => join(folder, name)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // Only what runs in the browser has this; Node gets it where it is installed.
  external: ['playwright-core', 'esbuild'],
  platform: 'node',
  // Node 18 has WebCrypto, but not in sight.
  banner: { js: "import { webcrypto as sight } from 'node:crypto'; globalThis.crypto ??= sight;" },
  format: 'esm',
  logLevel: 'warning',
});
const files = (await readdir(out)).map((name) => join(out, name));
const { status } = spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' });
await rm(out, { recursive: true, force: true });
process.exit(status ?? 1);
