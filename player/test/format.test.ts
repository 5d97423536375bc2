import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromHex, toHex, type Bytes } from '../src/decrypt/bytes';
import { findEscapes, withoutEscapes } from '../src/decrypt/escape';
import { AUDIO, VIDEO, type Tag, type TagKind } from '../src/decrypt/flv-tag';
import { KeyRing } from '../src/decrypt/key-ring';
import { shapeOf } from '../src/decrypt/shape';
import { TagDecryptor } from '../src/decrypt/tag-decryptor';
import { encapsulate, encryptAac, encryptBehind, encryptUnits, escape, framed, isSlice, keyHeader, keystream, MASTER, SALT, sei, seeded, type Codec } from './slow-encryptor';

function hex(text: string): Bytes {
  const bytes = fromHex(text);
  assert.ok(bytes, text);
  return bytes;
}
function tag(kind: TagKind, body: Uint8Array): Tag {
  return { kind, timestamp: 7, body: Uint8Array.from(body) };
}
const ring = (): KeyRing => new KeyRing({ 1: MASTER, 2: '02'.repeat(16) });

// The vectors of the format page: master key 00 to 0f, key id 1, salt a0 to a7, seq 5.
const AAC = ['af01211004608c1c000102030405', 'af019e1259581101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f3'] as const;
const AVC = '170100000000000004676400280000000468ee3cb00000003065030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3eaf1f8ff060d141b222930373e45';
const AVC_NALU = '170100000000000004676400280000000468ee3cb0000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf0000030005800000003065030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced537e10c9dc351f53b58b6ccf5afb57745';
const AVC_CAPSULE = '17010000000000006365888410219ad1c4f57e21b8631101a0a1a2a3a4a5a6a790cf0000030005eb02e6685ccaf31e4cadeed8f76c75bfbac74dda78f4b7c9123552e7f478c27f516b479620359d4d2c26ee6814c024dea62ded0aa6153440d3257d10f7b761183a53ae4c80';

test('keys and keystreams of the format page', async () => {
  const keys = ring();
  const video = await keys.trackKey(1, Uint8Array.from(SALT), VIDEO);
  const audio = await keys.trackKey(1, Uint8Array.from(SALT), AUDIO);
  assert.ok(video && audio);
  assert.equal(video.check, 0x90cf);
  assert.equal(audio.check, 0x2685);
  const stream = async (key: typeof video, seq: number, piece: number) => toHex(await key.decrypt(seq, piece, new Uint8Array(16)));
  assert.equal(await stream(video, 5, 0), 'eb02e66c3baef3364cadeedc9f82490f');
  assert.equal(await stream(video, 5, 1), '20b911299fd9d75d485d9034f2431c5d');
  assert.equal(await stream(audio, 5, 0), '30a0e016ffd7b9e7564823f6a40fe6f2');
  assert.equal(await stream(video, 2 ** 32 - 1, 0), 'fb56c26478ce1e4ced290e48296823dd');
});

test('whole bodies of the format page', async () => {
  for (const [kind, clear, encrypted] of [
    [AUDIO, AAC[0], AAC[1]],
    [VIDEO, AVC, AVC_NALU],
    [VIDEO, AVC, AVC_CAPSULE],
  ] as const) {
    const { tag: back, verdict } = await new TagDecryptor(ring()).decrypt(tag(kind, hex(encrypted)));
    assert.deepEqual(verdict, { is: 'decrypted', key: 1 });
    assert.equal(toHex(back.body), clear);
  }
});

test('the slow encryptor of these tests makes the same bodies', () => {
  const units = (body: string) => [hex(body.slice(18, 26)), hex(body.slice(34, 42)), hex(body.slice(50))];
  const head = Buffer.from(AVC.slice(0, 10), 'hex');
  assert.equal(Buffer.concat([head, framed(encryptUnits('avc', units(AVC), { seq: 5 }), 4)]).toString('hex'), AVC_NALU);
  assert.equal(Buffer.concat([head, encapsulate(0x65, hex(AVC.slice(10)), { seq: 5 })]).toString('hex'), AVC_CAPSULE);
  assert.equal(`af01${encryptAac(hex(AAC[0].slice(4)), { seq: 5 }).toString('hex')}`, AAC[1]);
});

test('escapes of the format page, taken out', () => {
  for (const [clear, plain, wire] of [
    ['', '000001', '00000301'],
    ['', '00000000', '0000030000'],
    ['0000', '0102', '030102'],
    ['', '000003000003', '0000030300000303'],
  ] as const) {
    assert.equal(escape(hex(clear), hex(plain)).toString('hex'), wire);
    const whole = hex(clear + wire);
    const escapes = findEscapes(whole, clear.length / 2);
    assert.ok(escapes);
    assert.equal(toHex(withoutEscapes(whole, clear.length / 2, whole.length, escapes)), plain);
  }
  for (const never of ['000001', '000000', '00000304', '000003']) assert.equal(findEscapes(hex(never), 0), null, never);
});

// The crypto crate's vectors of several tracks, and of AAC behind an enhanced header.
const TRACKS = [
  [VIDEO, '9611617663310000002f00000000000028650a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3eaf1f8ff060d140100002b00002800000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d58636e7984', '96116176633100000058000000000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf00000300058000000028650a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc08e81794c4a8fe1401000054000028000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf00000300068000000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d5862fd7d84'],
  [VIDEO, 'a7020001020623687663310200002a0000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999ea3a8adb2b7bc617663310700002800000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d58636e7984', 'a70200010206236876633102000054000000264e0105202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf0000030005800000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999e48aa4bde8cbc6176633107000051000000250605202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf00000300068000000024410e19242f3a45505b66717c87929da8b3bec9d4dfeaf5000b16212c37424d5862fd7d84'],
  [VIDEO, '960368766331030000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999ea3a8adb2b7bc', '96036876633103000000264e0105202667103b555d48afbf1f0394c2185a341201a0a1a2a3a4a5a6a790cf0000030005800000002626010d12171c21262b30353a3f44494e53585d62676c71767b80858a8f94999e48aa4bde8cbc'],
  [AUDIO, '916d703461211004608c1c000102030405', '916d7034619e1259581101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f3'],
  [AUDIO, '95116d7034610000000c211004608c1c000102030405020000022110', '95116d703461000000209e1259581101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f3020000169e1259581101a0a1a2a3a4a5a6a7268500000006a2f0'],
  [AUDIO, '95116d7034610000000c211004608c1c000102030405020000022110', '95116d703461000000269e1e59582101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f321000000001c0200001a9e1459582101a0a1a2a3a4a5a6a7268500000006a2f000000007'],
] as const;

test('bodies of tracks, as the crypto crate has them', async () => {
  for (const [kind, clear, encrypted] of TRACKS) {
    const { tag: back, verdict } = await new TagDecryptor(ring()).decrypt(tag(kind, hex(encrypted)));
    assert.deepEqual(verdict, { is: 'decrypted', key: 1 });
    assert.equal(toHex(back.body), clear);
    const same = tag(kind, hex(clear));
    assert.deepEqual(await new TagDecryptor(ring()).decrypt(same), { tag: same, verdict: { is: 'clear' } });
    const wire = tag(kind, hex(encrypted));
    assert.deepEqual(await new TagDecryptor(new KeyRing()).decrypt(wire), { tag: wire, verdict: { is: 'unknown-key', key: 1 } });
  }
});

/** A body of `avc1` tracks. */
function together(packet: number, tracks: ReadonlyMap<number, Uint8Array>): Tag {
  const size = (data: Uint8Array): Buffer => Buffer.from([data.length >> 16, data.length >> 8, data.length]);
  return tag(VIDEO, Buffer.concat([Buffer.from([0x96, 0x10 | packet]), Buffer.from('avc1'), ...[...tracks].flatMap(([track, data]) => [Buffer.from([track]), size(data), data])]));
}

test('tracks have length sizes of their own, and come back whatever their number', async () => {
  const random = seeded(4);
  for (let round = 0; round < 100; round += 1) {
    const decryptor = new TagDecryptor(ring());
    const [configs, clear, wire] = [new Map<number, Uint8Array>(), new Map<number, Uint8Array>(), new Map<number, Uint8Array>()];
    for (let count = 1 + random(4); count > 0; count -= 1) {
      const [track, size, seq] = [random(256), ([1, 2, 4] as const)[random(3)] ?? 4, random(2 ** 32)];
      const units = [Buffer.alloc(34 + random(60), 0x65), Buffer.alloc(random(30), 6)];
      configs.set(track, Buffer.from([1, 100, 0, 12, 0xfc + size - 1, 0xe1]));
      clear.set(track, framed(units, size));
      wire.set(track, framed(encryptUnits('avc', units, { seq }), size));
    }
    assert.deepEqual((await decryptor.decrypt(together(0, configs))).verdict, { is: 'exempt' });
    const read = await decryptor.decrypt(together(3, wire));
    assert.deepEqual(read, { tag: together(3, clear), verdict: { is: 'decrypted', key: 1 } }, `round ${round}`);
  }
});

test('the worst of a tag\'s tracks counts, and a torn table is damage', async () => {
  const units = [Buffer.alloc(60, 0x65)];
  const under = (key: number) => framed(encryptUnits('avc', units, { key, seq: 9, master: key === 2 ? new Uint8Array(16).fill(2) : MASTER }), 4);
  const [clear, one, two] = [framed(units, 4), under(1), under(2)];
  const said = async (keys: KeyRing, ...tracks: Uint8Array[]) => {
    const whole = together(3, new Map(tracks.map((data, track) => [track, data])));
    const read = await new TagDecryptor(keys).decrypt(whole);
    if (!['decrypted', 'clear'].includes(read.verdict.is)) assert.equal(read.tag, whole);
    return read;
  };
  const first = new KeyRing({ 1: MASTER });
  const all = together(3, new Map([[0, clear], [1, clear]]));
  assert.deepEqual(await said(ring(), one, two), { tag: all, verdict: { is: 'decrypted', key: 1 } });
  assert.deepEqual(await said(ring(), one, clear), { tag: all, verdict: { is: 'clear' } });
  assert.deepEqual((await said(first, one, two)).verdict, { is: 'unknown-key', key: 2 });
  assert.deepEqual((await said(first, clear, two)).verdict, { is: 'unknown-key', key: 2 });
  assert.deepEqual((await said(first, two, one.subarray(0, -3))).verdict, { is: 'damaged', why: 'framing' });
  const wire = together(3, new Map([[0, one], [1, two]])).body;
  for (const end of [wire.length - 1, 11 + one.length, 12 + one.length]) {
    const cut = tag(VIDEO, wire.subarray(0, end));
    assert.deepEqual(await new TagDecryptor(ring()).decrypt(cut), { tag: cut, verdict: { is: 'damaged', why: 'framing' } });
  }
  const many = tag(VIDEO, Buffer.concat([Buffer.from('961361766331', 'hex'), ...Array.from({ length: 257 }, () => Buffer.from('0000000500000001 65'.replace(' ', ''), 'hex'))]));
  assert.deepEqual(await new TagDecryptor(ring()).decrypt(many), { tag: many, verdict: { is: 'clear' } });
});

/** Units whose ciphertext is full of zeros: the keystream is in them already. */
function zeroRich(codec: Codec, seq: number, random: (below: number) => number, most: number): Buffer[] {
  let piece = 0;
  return Array.from({ length: random(6) }, () => {
    const unit = Buffer.from(Array.from({ length: random(most) }, () => (random(10) < 5 ? 0 : random(3) ? random(5) : random(256))));
    if (unit.length > 0) unit[0] = random(256);
    // What would read as a marker is not the matter here.
    if (isSlice(codec, unit) && unit.length >= 34) {
      const stream = keystream(9, piece, unit.length - 33, { seq });
      for (let at = 32; at < unit.length - 1; at += 1) unit[at] = (unit[at] ?? 0) ^ (stream[at - 32] ?? 0);
      piece += 1;
    }
    return unit;
  });
}

test('bodies full of escapes come back, of any codec and length size', async () => {
  const random = seeded(1);
  const keys = ring();
  let escaped = 0;
  for (let round = 0; round < 600; round += 1) {
    const codec = random(2) ? 'avc' : 'hevc';
    const size = ([1, 2, 4] as const)[random(3)] ?? 4;
    const seq = random(3) ? random(2 ** 32) : 5;
    const units = zeroRich(codec, seq, random, size === 1 ? 90 : 200);
    const wire = encryptUnits(codec, units, { seq });
    if (size === 1 && wire.some((unit) => unit.length > 255)) continue;
    escaped += wire.reduce((sum, unit) => sum + unit.length, 0) - units.reduce((sum, unit) => sum + unit.length, 0) > 45 ? 1 : 0;
    const head = Buffer.from(codec === 'avc' ? [0x17, 1, 0, 0, 0] : [0x1c, 1, 0, 0, 0]);
    const decryptor = new TagDecryptor(keys);
    const config = codec === 'avc' ? [0x17, 0, 0, 0, 0, 1, 100, 0, 12, 0xfc + size - 1, 0xe1] : [0x1c, 0, 0, 0, 0, 1, ...Buffer.alloc(20), size - 1];
    assert.deepEqual((await decryptor.decrypt(tag(VIDEO, Buffer.from(config)))).verdict, { is: 'exempt' });
    const { tag: back, verdict } = await decryptor.decrypt(tag(VIDEO, Buffer.concat([head, framed(wire, size)])));
    assert.deepEqual(verdict, { is: 'decrypted', key: 1 }, `round ${round}`);
    assert.equal(toHex(back.body), Buffer.concat([head, framed(units, size)]).toString('hex'), `round ${round}`);
  }
  assert.ok(escaped > 100, `${escaped} rounds had escapes`);
});

test('capsules full of escapes come back, also with what a relay put in front', async () => {
  const random = seeded(2);
  for (let round = 0; round < 200; round += 1) {
    const seq = random(2 ** 32);
    const plain = Buffer.from(Array.from({ length: 5 + random(150) }, () => (random(3) ? 0 : random(5))));
    const stream = keystream(9, 0, plain.length, { seq });
    for (let at = 0; at < plain.length; at += 1) plain[at] = (plain[at] ?? 0) ^ (stream[at] ?? 0);
    const head = Buffer.from([0x27, 1, 0, 0, 40]);
    const front = round % 2 ? framed([Buffer.from([9, 0xf0]), Buffer.from([0x67, 1, 2])], 4) : Buffer.alloc(0);
    const body = Buffer.concat([head, front, encapsulate(0x41, plain, { seq })]);
    const { tag: back, verdict } = await new TagDecryptor(ring()).decrypt(tag(VIDEO, body));
    assert.deepEqual(verdict, { is: 'decrypted', key: 1 });
    assert.equal(toHex(back.body), Buffer.concat([head, plain]).toString('hex'));
  }
});

test('literal marks come off, and leave the marker below alone', async () => {
  const literal = { salt: new Uint8Array(8), key: 0, seq: 0 };
  const mark = Buffer.concat([Buffer.from([0x10, 0]), Buffer.alloc(14)]);
  const forged = hex(AAC[1]);
  const marked = Buffer.concat([forged.subarray(0, 2), Buffer.from('9e125958', 'hex'), mark, forged.subarray(2)]);
  const sound = await new TagDecryptor(ring()).decrypt(tag(AUDIO, marked));
  assert.deepEqual(sound, { tag: tag(AUDIO, forged), verdict: { is: 'literal' } });
  for (const body of [AVC_NALU, AVC_CAPSULE]) {
    const head = hex(body.slice(0, 10));
    const rest = hex(body.slice(10));
    // Before the first slice, so behind the SEI that is there; in front of a capsule.
    const at = body === AVC_NALU ? rest.length - 52 : 0;
    const picture = Buffer.concat([head, rest.subarray(0, at), framed([sei('avc', mark)], 4), rest.subarray(at)]);
    const { tag: back, verdict } = await new TagDecryptor(ring()).decrypt(tag(VIDEO, picture));
    assert.deepEqual(verdict, { is: 'literal' });
    assert.equal(toHex(back.body), body);
  }
  assert.equal(keyHeader(0, 8, literal)[0], 0x10);
});

const STEREO = Buffer.from('21000000001c', 'hex');

test('sound behind silence, of any length', async () => {
  // As the crypto crate has it: stereo, mono, and nothing at all.
  const decryptor = new TagDecryptor(ring());
  const known = 'af019e1e59582101a0a1a2a3a4a5a6a726850000000511b0e47673cbb9e6544b27f3';
  for (const [clear, wire] of [
    [AAC[0], `${known}21000000001c`],
    [AAC[0], `${known}00000007`],
    ['af01', 'af019e1259582101a0a1a2a3a4a5a6a726850000000521000000001c'],
  ] as const) {
    const { tag: back, verdict } = await decryptor.decrypt(tag(AUDIO, hex(wire)));
    assert.deepEqual(verdict, { is: 'decrypted', key: 1 });
    assert.equal(toHex(back.body), clear);
  }
  const random = seeded(3);
  for (const length of [0, 1, 236, 237, 490, 491, 492, 493, 494, 495, 1000, 1002, 1003, 2000]) {
    // Bytes that look like elements among them.
    const block = Buffer.from(Array.from({ length }, () => (random(3) ? random(256) : 0x9e)));
    const head = Buffer.from([0xaf, 1]);
    const [noise, silence] = [encryptAac(block, { seq: 7 }), encryptBehind(STEREO, block, { seq: 7 })];
    for (const wire of [noise, silence]) {
      const { tag: back, verdict } = await decryptor.decrypt(tag(AUDIO, Buffer.concat([head, wire])));
      assert.deepEqual(verdict, { is: 'decrypted', key: 1 }, `${length} bytes`);
      assert.equal(toHex(back.body), Buffer.concat([head, block]).toString('hex'));
    }
    const missing = tag(AUDIO, Buffer.concat([head, silence.subarray(0, -STEREO.length)]));
    assert.deepEqual(await decryptor.decrypt(missing), { tag: missing, verdict: { is: 'damaged', why: 'elements' } });
    const cut = tag(AUDIO, missing.body.subarray(0, 24));
    if (length > 3) assert.deepEqual((await decryptor.decrypt(cut)).verdict, { is: 'damaged', why: 'elements' });
  }
});

test('wrong keys, unknown ids, versions and modes are told apart', async () => {
  const verdict = async (keys: KeyRing, body: string) => (await new TagDecryptor(keys).decrypt(tag(AUDIO, hex(body)))).verdict;
  assert.deepEqual(await verdict(new KeyRing(), AAC[1]), { is: 'unknown-key', key: 1 });
  assert.deepEqual(await verdict(new KeyRing({ 1: 'ff'.repeat(16) }), AAC[1]), { is: 'wrong-key', key: 1 });
  assert.deepEqual(await verdict(ring(), AAC[1].replace('58110', '58310')), { is: 'unsupported', version: 3, mode: 1 });
  assert.deepEqual(await verdict(ring(), AAC[1].replace('58110', '58220')), { is: 'unsupported', version: 2, mode: 2 });
  assert.deepEqual(await verdict(ring(), AAC[1].replace('58110', '58170')), { is: 'unsupported', version: 1, mode: 7 });
  assert.deepEqual(await verdict(ring(), AAC[1].slice(0, 40)), { is: 'damaged', why: 'marker' });
  assert.deepEqual(await verdict(ring(), AAC[0]), { is: 'clear' });
});

test('a ring forgets keys, takes others, and refuses what is none', async () => {
  const keys = ring();
  const key = await keys.trackKey(1, Uint8Array.from(SALT), VIDEO);
  assert.equal(await keys.trackKey(1, Uint8Array.from(SALT), VIDEO), key);
  for (let salt = 0; salt < 100; salt += 1) await keys.trackKey(2, new Uint8Array(8).fill(salt), VIDEO);
  assert.equal(keys.derivedKeys, 16);
  keys.add(1, 'ff'.repeat(16));
  assert.notEqual((await keys.trackKey(1, Uint8Array.from(SALT), VIDEO))?.check, key?.check);
  keys.remove(1);
  assert.equal(await keys.trackKey(1, Uint8Array.from(SALT), VIDEO), null);
  assert.deepEqual(keys.ids(), [2]);
  for (const [id, bad] of [[256, MASTER], [-1, MASTER], [1.5, MASTER], [1, 'ff'], [1, 'zz'.repeat(16)], [1, new Uint8Array(15)]] as const) {
    assert.throws(() => keys.add(id, bad), RangeError);
  }
});

test('coded frames are found, and all else is exempt or has no rule', () => {
  const shape = (kind: TagKind, body: string) => {
    const found = shapeOf(tag(kind, Buffer.from(body, 'latin1')));
    return Object.values(found).filter((value) => typeof value !== 'object').join(' ');
  };
  for (const [kind, body, want] of [
    [18, '\x02\0\x0aonMetaData', 'exempt'],
    [AUDIO, '', 'exempt'],
    [AUDIO, '\xaf\0\x11\x90', 'exempt'],
    [AUDIO, '\xaf\x01\x21', 'aac 2'],
    [AUDIO, '\x2f\xff\xfb', 'none'],
    [AUDIO, '\x91Opus\xfc', 'none'],
    [AUDIO, '\x90Opus', 'exempt'],
    [AUDIO, '\x90mp4a\x11\x90', 'exempt'],
    [AUDIO, '\x91mp4a\x21', 'aac 5'],
    [AUDIO, '\x97\x02\0\0\x09\x01mp4a\x21', 'aac 10'],
    [AUDIO, '\x95\x01Opus\0', 'tracks'],
    [AUDIO, '\x95\x00Opus\0\x11', 'track configs'],
    [AUDIO, '\x95\x31Opus', 'none'],
    [AUDIO, '\x95\x13Opus', 'none'],
    [AUDIO, '\xaf', 'none'],
    [AUDIO, '\xaf\x07', 'none'],
    [VIDEO, '\x17\0\0\0\0\x01\x64\0\x28\xfd\xe1', 'sequence 2'],
    [VIDEO, '\x17\0\0\0\0\x01', 'exempt'],
    [VIDEO, '\x17\x01\0\0\0\0', 'units avc 5'],
    [VIDEO, '\x17\x02\0\0\0', 'exempt'],
    [VIDEO, '\x17\x02\0\0\0\0\0\0\x01\x65', 'none'],
    [VIDEO, '\xa2hvc1\0', 'none'],
    [VIDEO, '\x57\0', 'exempt'],
    [VIDEO, '\x2c\x01\0\0\0', 'units hevc 5'],
    [VIDEO, '\x91hvc1\0\0\0', 'units hevc 8'],
    [VIDEO, '\xa3hvc1', 'units hevc 5'],
    [VIDEO, '\x91avc1\0\0\0', 'units avc 8'],
    [VIDEO, '\x92hvc1', 'exempt'],
    [VIDEO, '\x94hvc1\x02', 'exempt'],
    [VIDEO, '\x95av01', 'exempt'],
    [VIDEO, '\xd1\0', 'exempt'],
    [VIDEO, '\x97\x02\0\0\0\x03hvc1', 'units hevc 10'],
    [VIDEO, '\x12\0', 'none'],
    [VIDEO, '\x91av01\x0a', 'none'],
    [VIDEO, '\x96\x01hvc1\0', 'tracks'],
    [VIDEO, '\x96\x21avc1\0\0\0\0', 'tracks'],
    [VIDEO, '\x97\0\0\x06\x21avc1\0\0\0\0', 'tracks'],
    [VIDEO, '\x96\x11avc1', 'exempt'],
    [VIDEO, '\x96\x12avc1\0\0\0\0', 'exempt'],
    [VIDEO, '\x96\x02avc1\0\x65', 'none'],
    [VIDEO, '\x96\x16avc1\0', 'none'],
    [VIDEO, '\x96\x31avc1\0', 'none'],
    [VIDEO, '\x17\x01\0', 'none'],
    [VIDEO, '\x17\x03\0\0\0', 'none'],
  ] as const) {
    assert.equal(shape(kind, body), want, JSON.stringify(body));
  }
});
