// Bundles the page into dist/page, from where the binary embeds it. The package's own
// files go to dist/lib, from where npm takes them: see tsconfig.lib.json.
import { build } from 'esbuild';
import { cp, mkdir, rm } from 'node:fs/promises';

await rm('dist', { recursive: true, force: true });
await mkdir('dist/page', { recursive: true });
await build({
  entryPoints: { page: 'src/page.ts' },
  outdir: 'dist/page',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2021'],
  legalComments: 'inline',
  logLevel: 'warning',
});
await cp('src/index.html', 'dist/page/index.html');
await cp('src/page.css', 'dist/page/page.css');
