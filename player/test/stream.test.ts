import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { FlvReader, NotFlv } from '../src/decrypt/flv-reader';
import { FlvDecryptor, type DecryptorOptions } from '../src/decrypt/flv-decryptor';
import { VIDEO, writeTags, type Tag } from '../src/decrypt/flv-tag';
import { KeyRing } from '../src/decrypt/key-ring';
import { MASTER, seeded } from './slow-encryptor';

const fixture = (name: string): Buffer => readFileSync(join('test/fixtures', name));
const tagsOf = (data: Uint8Array): Tag[] => new FlvReader().push(data).tags;
const isVideo = (tag: Tag): boolean => tag.kind === VIDEO;

async function decrypted(data: Uint8Array, options: DecryptorOptions = { keys: new KeyRing({ 1: MASTER }) }, pieces = [data.length]): Promise<{ out: Buffer; decryptor: FlvDecryptor }> {
  const decryptor = new FlvDecryptor(options);
  const out: Uint8Array[] = [];
  let at = 0;
  for (const length of pieces) {
    out.push(await decryptor.push(data.subarray(at, at + length)));
    at += length;
  }
  out.push(await decryptor.finish());
  return { out: Buffer.concat(out), decryptor };
}

const PAIRS = [
  ['avc-nalu.flv', 'avc.flv'],
  ['avc-capsule.flv', 'avc.flv'],
  ['hevc-nalu.flv', 'hevc.flv'],
  ['short-lengths-nalu.flv', 'short-lengths.flv'],
] as const;

test('what obvan encrypted comes back bit for bit, however the bytes are cut', async () => {
  const random = seeded(3);
  for (const [encrypted, clear] of PAIRS) {
    const data = fixture(encrypted);
    const even = Array.from({ length: data.length }, () => 1);
    assert.ok((await decrypted(data, undefined, even)).out.equals(fixture(clear)), `${encrypted}, byte by byte`);
    for (let round = 0; round < 20; round += 1) {
      const pieces: number[] = [];
      const most = 2 ** (1 + random(12));
      for (let sum = 0; sum < data.length; sum += pieces.at(-1) ?? 0) pieces.push(random(most));
      const { out, decryptor } = await decrypted(data, undefined, pieces);
      assert.ok(out.equals(fixture(clear)), `${encrypted}, round ${round}`);
      const { counts } = decryptor;
      assert.equal(counts.verdicts.decrypted + counts.verdicts.exempt, counts.tags);
      assert.deepEqual([counts.dropped, counts.gaps, counts.bytesIn, counts.bytesOut], [0, 0, data.length, out.length]);
    }
  }
});

test('clear streams pass as they are, also without WebCrypto ever asked', async () => {
  for (const [, clear] of PAIRS) {
    const { out, decryptor } = await decrypted(fixture(clear), {});
    assert.ok(out.equals(fixture(clear)));
    assert.equal(decryptor.counts.verdicts.decrypted, 0);
  }
});

test('pieces handed in without waiting come out in their order', async () => {
  const data = fixture('avc-nalu.flv');
  const decryptor = new FlvDecryptor({ keys: new KeyRing({ 1: MASTER }) });
  const under = [];
  for (let at = 0; at < data.length; at += 100) under.push(decryptor.push(data.subarray(at, at + 100)));
  assert.ok(Buffer.concat(await Promise.all(under)).equals(fixture('avc.flv')));
});

test('damage is told, borne and skipped exactly as the engine does', async () => {
  interface Case {
    file: string;
    edits: [number, number][];
    length: number;
    dropped: number;
    sha256: string;
  }
  const cases = JSON.parse(fixture('damage.json').toString()) as Case[];
  let dropped = 0;
  for (const one of cases) {
    const data = fixture(one.file);
    for (const [at, byte] of one.edits) data[at] = byte;
    const { out, decryptor } = await decrypted(data.subarray(0, one.length), undefined, [17, 1000, one.length]);
    assert.equal(createHash('sha256').update(out).digest('hex').slice(0, 16), one.sha256, JSON.stringify(one));
    assert.equal(decryptor.counts.dropped, one.dropped, JSON.stringify(one));
    dropped += one.dropped;
  }
  assert.ok(cases.length >= 100 && dropped > 50, `${dropped} tags dropped`);
});

test('without its key nothing passes but headers; with it, from the next key frame on', async () => {
  const told: string[] = [];
  const keys = new KeyRing({ 7: MASTER });
  const decryptor = new FlvDecryptor({ keys, onLocked: (why) => told.push(JSON.stringify(why)), onReadable: () => told.push('readable') });
  const all = tagsOf(fixture('avc-nalu.flv'));
  const clear = tagsOf(fixture('avc.flv'));
  // The key comes in the middle of the first group of pictures; the second begins at its fifth picture.
  const second = clear.findIndex((tag, index) => isVideo(tag) && clear.slice(0, index).filter(isVideo).length === 5);
  const passed: Tag[] = [];
  await decryptor.push(fixture('avc-nalu.flv').subarray(0, 13));
  for (const [index, tag] of all.entries()) {
    if (index === 8) keys.add(1, MASTER);
    passed.push(...(await decryptor.pushTags(writeTags([tag]))).tags);
  }
  assert.deepEqual(passed, [...clear.slice(0, 3), ...clear.slice(second)]);
  assert.deepEqual(told, ['{"is":"unknown-key","key":1}', 'readable']);
  assert.deepEqual([...decryptor.counts.locked], [[1, 5]]);

  // Another reason is another report, about the same key.
  const reasons: string[] = [];
  const changing = new FlvDecryptor({ onLocked: (why) => reasons.push(why.is) });
  await changing.push(fixture('avc-nalu.flv').subarray(0, 2000));
  changing.keys.add(1, 'ff'.repeat(16));
  await changing.push(fixture('avc-nalu.flv').subarray(2000, 4000));
  changing.keys.remove(1);
  await changing.push(fixture('avc-nalu.flv').subarray(4000));
  assert.deepEqual(reasons, ['unknown-key', 'wrong-key', 'unknown-key']);

  const wrong: string[] = [];
  const { out, decryptor: other } = await decrypted(fixture('avc-nalu.flv'), { keys: new KeyRing({ 1: 'ff'.repeat(16) }), onLocked: (why) => wrong.push(why.is) });
  assert.deepEqual(wrong, ['wrong-key']);
  assert.equal(other.counts.verdicts['wrong-key'], 37);
  assert.deepEqual(tagsOf(out).length, 4);
});

test('off, on and another key in the middle leave no trace', async () => {
  const clear = tagsOf(fixture('avc.flv'));
  const one = tagsOf(fixture('avc-nalu.flv'));
  const two = tagsOf(fixture('avc-nalu-key-2.flv'));
  const capsule = tagsOf(fixture('avc-capsule.flv'));
  const random = seeded(4);
  const head = fixture('avc.flv').subarray(0, 13);
  for (let round = 0; round < 100; round += 1) {
    const mixed = clear.map((tag, index) => [tag, one[index], two[index], capsule[index]][random(4)] ?? tag);
    const { out } = await decrypted(Buffer.concat([head, writeTags(mixed)]), { keys: new KeyRing({ 1: MASTER, 2: MASTER }) });
    assert.ok(out.equals(fixture('avc.flv')), `round ${round}`);
  }
  // Refused, clear tags do not pass, and what needs them does not either.
  const mixed = [...one.slice(0, 9), ...clear.slice(9, 12), ...one.slice(12)];
  const { out } = await decrypted(Buffer.concat([head, writeTags(mixed)]), { keys: new KeyRing({ 1: MASTER }), clear: 'refuse' });
  assert.ok(isVideo(mixed[9]!) && isVideo(mixed[12]!));
  assert.deepEqual(tagsOf(out), [...clear.slice(0, 9), ...clear.slice(13)]);
});

test('what is no FLV is refused, and stays so', async () => {
  const decryptor = new FlvDecryptor();
  await assert.rejects(decryptor.push(Buffer.from('<!doctype html>')), NotFlv);
  await assert.rejects(decryptor.push(fixture('avc.flv')), NotFlv);
  await assert.rejects(new FlvDecryptor().push(Buffer.from('FLV\x02\x05\0\0\0\x09')), NotFlv);
});
