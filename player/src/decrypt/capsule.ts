// Mode `capsule`: the whole body inside one made-up NAL unit. AVC only. Behind the codec header:
// `len32 ‖ NAL header ‖ ESC(pre ‖ magic ‖ KH ‖ ciphertext ‖ 80)`.

import { joined, readNumber, startsWith, type Bytes } from './bytes.js';
import { findEscapes, withoutEscapes } from './escape.js';
import { KEY_HEADER } from './key-header.js';
import type { TrackKey } from './key-ring.js';
import { addsUp, isSlice, type Unit } from './nalu.js';
import type { Torn } from './units-mode.js';

const MAGIC = [0x9a, 0xd1, 0xc4, 0xf5, 0x7e, 0x21, 0xb8, 0x63];
const STOP = 0x80;
/** Behind the NAL header and 4 bytes of a plausible slice header. */
const MAGIC_AT = 5;
const HEADER_AT = MAGIC_AT + MAGIC.length;
/** Where the ciphertext begins, escapes taken out. */
const CIPHER_AT = HEADER_AT + KEY_HEADER;

export interface Capsule {
  unit: Unit;
  /** Escapes taken out; `null` if it is cut. */
  header: Uint8Array | null;
  whole: boolean;
}

/**
 * Looks for a capsule: the first slice of the body, with our magic in it. We write no
 * other unit, but a way through MPEG-TS puts delimiters and parameter sets in front.
 */
export function findCapsule(body: Uint8Array, payload: number): Capsule | null {
  for (let at = payload; ; ) {
    if (at + 4 > body.length) return null;
    const length = readNumber(body, at, 4);
    const start = at + 4;
    const unit = { start, end: Math.min(start + length, body.length) };
    if (isSlice('avc', body, unit)) {
      if (unit.end - start < HEADER_AT || !startsWith(body, start + MAGIC_AT, MAGIC)) return null;
      return { unit, header: readHeader(body.subarray(start, unit.end)), whole: addsUp(body, at, 4) };
    }
    at = start + length;
  }
}

function readHeader(unit: Uint8Array): Uint8Array | null {
  const header = new Uint8Array(KEY_HEADER);
  let at = HEADER_AT;
  let zeros = 0;
  for (let index = 0; index < KEY_HEADER; index += 1) {
    if (zeros >= 2 && unit[at] === 3) {
      at += 1;
      zeros = 0;
    }
    const byte = unit[at];
    if (byte === undefined) return null;
    at += 1;
    header[index] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return header;
}

/** What a relay put around the capsule falls away. */
export async function openCapsule(body: Bytes, payload: number, unit: Unit, seq: number, key: TrackKey): Promise<Bytes | Torn> {
  const wire = body.subarray(unit.start, unit.end);
  const escapes = findEscapes(wire, 1);
  if (!escapes) return 'escape';
  const before = escapes.findIndex((at, count) => at >= CIPHER_AT + count);
  const behind = before < 0 ? [] : escapes.slice(before);
  const from = CIPHER_AT + escapes.length - behind.length;
  if (wire.length <= from || wire[wire.length - 1] !== STOP) return 'framing';
  const cipher = withoutEscapes(wire, from, wire.length - 1, behind);
  return joined([body.subarray(0, payload), await key.decrypt(seq, 0, cipher)]);
}
