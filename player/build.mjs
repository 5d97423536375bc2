// Bundles the page into dist/, from where the binary embeds it.
import { build } from 'esbuild';
import { cp, mkdir, rm } from 'node:fs/promises';

await rm('dist', { recursive: true, force: true });
await mkdir('dist', { recursive: true });
await build({
  entryPoints: { page: 'src/page.ts' },
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2021'],
  legalComments: 'inline',
  logLevel: 'warning',
});
await cp('src/index.html', 'dist/index.html');
await cp('src/page.css', 'dist/page.css');
