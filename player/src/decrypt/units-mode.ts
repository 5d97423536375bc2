// Mode `nalu`: slices encrypted in their middle, a SEI in front of the first; and the
// literal mark, which is such a SEI before a body that is clear.

import { joined, writeNumber, type Bytes } from './bytes.js';
import { findEscapes, withoutEscapes } from './escape.js';
import type { TrackKey } from './key-ring.js';
import { CLEAR_LEAD, isEncrypted, SHORTEST, units, type Unit } from './nalu.js';
import type { LengthSize, UnitCodec } from './shape.js';

/** Why an encrypted body cannot be read. */
export type Torn = 'framing' | 'escape' | 'too many units';

const MOST_UNITS = 0xffff;
/** Slices whose decryption is under way at a time. */
const AT_ONCE = 64;

interface Slice extends Unit {
  escapes: number[];
}

/** Takes a marker out of a body. */
export function withoutMarker(body: Bytes, from: number, to: number): Bytes {
  return joined([body.subarray(0, from), body.subarray(to)]);
}

export async function openUnits(
  body: Bytes,
  marker: { codec: UnitCodec; size: LengthSize; from: number; to: number },
  seq: number,
  key: TrackKey,
): Promise<Bytes | Torn> {
  const { codec, size, from, to } = marker;
  const slices = encryptedUnits(body, to, codec, size);
  if (!Array.isArray(slices)) return slices;
  const parts: Uint8Array[] = [body.subarray(0, from)];
  let copied = to;
  for (let first = 0; first < slices.length; first += AT_ONCE) {
    const batch = slices.slice(first, first + AT_ONCE);
    const plain = await Promise.all(
      batch.map(({ start, end, escapes }, index) => {
        const lead = start + CLEAR_LEAD;
        const wire = withoutEscapes(body, lead, end, escapes.map((at) => start + at));
        return key.decrypt(seq, first + index, wire.subarray(0, -1));
      }),
    );
    batch.forEach(({ start, end, escapes }, index) => {
      const prefix = new Uint8Array(size);
      writeNumber(prefix, 0, size, end - start - escapes.length);
      parts.push(body.subarray(copied, start - size), prefix, body.subarray(start, start + CLEAR_LEAD), plain[index] ?? prefix);
      copied = end - 1;
    });
  }
  parts.push(body.subarray(copied));
  return joined(parts);
}

function encryptedUnits(body: Bytes, from: number, codec: UnitCodec, size: LengthSize): Slice[] | Torn {
  const slices: Slice[] = [];
  for (const unit of units(body, from, size)) {
    if (!unit) return 'framing';
    if (isEncrypted(codec, body, unit)) {
      const escapes = findEscapes(body.subarray(unit.start, unit.end), CLEAR_LEAD);
      // Something must be left between the lead and the last byte.
      if (!escapes || unit.end - unit.start - escapes.length < SHORTEST) return 'escape';
      slices.push({ ...unit, escapes });
    }
    if (slices.length > MOST_UNITS) return 'too many units';
  }
  return slices;
}
