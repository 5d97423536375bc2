// The format page read out slowly, with Node's own AES: the other side of the round trips.

import { createCipheriv, hkdfSync } from 'node:crypto';

export const MASTER = Uint8Array.from({ length: 16 }, (_, index) => index);
export const SALT = Uint8Array.from({ length: 8 }, (_, index) => 0xa0 + index);
const UUID = Buffer.from('2667103b555d48afbf1f0394c2185a34', 'hex');

export interface Under {
  key?: number;
  master?: Uint8Array;
  salt?: Uint8Array;
  seq: number;
}

export function trackKey(track: 8 | 9, { key = 1, master = MASTER, salt = SALT }: Under): Buffer {
  return Buffer.from(hkdfSync('sha256', master, salt, Buffer.concat([Buffer.from('flvc1'), Buffer.from([key, track])]), 16));
}

export function keystream(track: 8 | 9, piece: number, length: number, under: Under): Buffer {
  const counter = Buffer.alloc(16);
  counter.writeUInt32BE(under.seq, 2);
  counter.writeUInt16BE(piece, 6);
  return createCipheriv('aes-128-ctr', trackKey(track, under), counter).update(Buffer.alloc(length));
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}

export function keyHeader(mode: 0 | 1 | 2, track: 8 | 9, under: Under): Buffer {
  const { key = 1, salt = SALT, seq } = under;
  const seqBytes = Buffer.alloc(4);
  seqBytes.writeUInt32BE(seq);
  const check = createCipheriv('aes-128-ecb', trackKey(track, under), null).update(Buffer.alloc(16, 0xff)).subarray(0, 2);
  return Buffer.concat([Buffer.from([0x10 | mode, key]), salt, check, seqBytes]);
}

/** Byte by byte; the zero run starts with the clear bytes before. */
export function escape(clear: Uint8Array, plain: Uint8Array): Buffer {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of clear) zeros = byte === 0 ? zeros + 1 : 0;
  for (const byte of plain) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Buffer.from(out);
}

export type Codec = 'avc' | 'hevc';

export function isSlice(codec: Codec, unit: Uint8Array): boolean {
  const first = unit[0];
  if (first === undefined) return false;
  return codec === 'avc' ? [1, 2, 3, 4, 5].includes(first % 32) : (first >> 1) % 64 < 32;
}

export function sei(codec: Codec, header: Uint8Array): Buffer {
  const head = Buffer.from(codec === 'avc' ? [6, 5, 32] : [0x4e, 1, 5, 32]);
  return escape(Buffer.alloc(0), Buffer.concat([head, UUID, Buffer.from(header), Buffer.from([0x80])]));
}

export function framed(units: readonly Uint8Array[], size: number): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const prefix = Buffer.alloc(size);
      prefix.writeUIntBE(unit.length, 0, size);
      return [prefix, unit];
    }),
  );
}

export function encryptUnits(codec: Codec, units: readonly Uint8Array[], under: Under): Buffer[] {
  let piece = 0;
  const out: Buffer[] = units.map((unit) => {
    if (!isSlice(codec, unit) || unit.length < 34) return Buffer.from(unit);
    const cipher = xor(unit.subarray(32, -1), keystream(9, piece, unit.length - 33, under));
    piece += 1;
    return Buffer.concat([unit.subarray(0, 32), escape(unit.subarray(0, 32), Buffer.concat([cipher, unit.subarray(-1)]))]);
  });
  const first = units.findIndex((unit) => isSlice(codec, unit));
  out.splice(first < 0 ? out.length : first, 0, sei(codec, keyHeader(2, 9, under)));
  return out;
}

/** `body` is what is behind the codec header. */
export function encapsulate(nalHeader: number, body: Uint8Array, under: Under): Buffer {
  const pre = Buffer.from(nalHeader % 32 === 5 ? '88841021' : '9a211043', 'hex');
  const inside = Buffer.concat([pre, Buffer.from('9ad1c4f57e21b863', 'hex'), keyHeader(1, 9, under), xor(body, keystream(9, 0, body.length, under)), Buffer.from([0x80])]);
  return framed([Buffer.concat([Buffer.from([nalHeader]), escape(Buffer.alloc(0), inside)])], 4);
}

export function encryptAac(block: Uint8Array, under: Under): Buffer {
  return Buffer.concat([Buffer.from('9e125958', 'hex'), keyHeader(1, 8, under), xor(block, keystream(8, 0, block.length, under))]);
}

/** Version 2: all of it in elements of at most 510 bytes, and silence behind them. */
export function encryptBehind(silence: Uint8Array, block: Uint8Array, under: Under): Buffer {
  const whole = encryptAac(block, under).subarray(2);
  whole[2] = 0x21;
  const elements: Buffer[] = [];
  for (let at = 0; at < whole.length; at += 510) {
    const piece = whole.subarray(at, at + 510);
    elements.push(Buffer.from(piece.length < 255 ? [0x9e, piece.length] : [0x9e, 255, piece.length - 255]), piece);
  }
  return Buffer.concat([...elements, silence]);
}

/** Numbers that are the same in each run. */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
