import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('the examples of the README are the ones that are type-checked', () => {
  const blocks = [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]);
  assert.deepEqual(blocks, [readFileSync('examples/play.ts', 'utf8'), readFileSync('examples/decrypt.ts', 'utf8')]);
});

test('what the package exports is there, with types, and loads in plain Node', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, Record<string, string>> };
  for (const file of Object.values(exports).flatMap((entry) => Object.values(entry))) {
    assert.ok(existsSync(file), `${file} is not there: npm run build`);
  }
  const script = `const { FlvDecryptor } = await import('obvan-player/decrypt');
    console.log((await new FlvDecryptor().push(Buffer.from('FLV\\x01\\x05\\0\\0\\0\\x09\\0\\0\\0\\0', 'latin1'))).length);`;
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }), '13\n');
});

test('the examples compile against the built package under both kinds of module resolution', () => {
  for (const project of ['test/consumer-bundler.json', 'test/consumer-node.json']) {
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { encoding: 'utf8', stdio: ['ignore', 'inherit', 'inherit'] });
  }
});
