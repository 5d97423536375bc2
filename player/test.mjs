// Bundles the tests of a folder for Node and runs them. Usage: node test.mjs FOLDER
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const folder = process.argv[2] ?? 'test';
// In here, so that what is not bundled is found.
const out = await mkdtemp(join('node_modules', '.tests-'));
const tests = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
await build({
  entryPoints: tests.map((name) => join(folder, name)),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  // Neither likes to be bundled.
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
