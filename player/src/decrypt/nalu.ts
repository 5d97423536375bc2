// NAL units: their ranges in a body, which are slices, and the SEI unit that carries a header.

import { readNumber, startsWith } from './bytes.js';
import { findEscapes, withoutEscapes } from './escape.js';
import { KEY_HEADER } from './key-header.js';
import type { LengthSize, UnitCodec } from './shape.js';

/** Bytes at the front of a slice that stay clear. */
export const CLEAR_LEAD = 32;
/** The shortest slice of which something is encrypted. */
export const SHORTEST = CLEAR_LEAD + 2;

/** A unit without its length prefix: `body[start..end]`. */
export interface Unit {
  start: number;
  end: number;
}

/** The units from `at` on; ends with `null` where the lengths do not add up to the body. */
export function* units(body: Uint8Array, at: number, size: LengthSize): Generator<Unit | null, void> {
  while (at < body.length) {
    const start = at + size;
    const end = start + readNumber(body, at, size);
    if (start > body.length || end > body.length) {
      yield null;
      return;
    }
    yield { start, end };
    at = end;
  }
}

/** Whether the lengths of all units from `at` on add up to the body. */
export function addsUp(body: Uint8Array, at: number, size: LengthSize): boolean {
  for (const unit of units(body, at, size)) if (!unit) return false;
  return true;
}

/** Whether a unit holds coded picture data (VCL); an empty one does not. */
export function isSlice(codec: UnitCodec, body: Uint8Array, unit: Unit): boolean {
  if (unit.start === unit.end) return false;
  const first = body[unit.start] ?? 0;
  const type = codec === 'avc' ? first & 0x1f : (first >> 1) & 0x3f;
  return codec === 'avc' ? type >= 1 && type <= 5 : type < 32;
}

export function isEncrypted(codec: UnitCodec, body: Uint8Array, unit: Unit): boolean {
  return unit.end - unit.start >= SHORTEST && isSlice(codec, body, unit);
}

/** user_data_unregistered, 32 bytes, UUID 2667103b-555d-48af-bf1f-0394c2185a34. */
const MESSAGE = [5, 32, 0x26, 0x67, 0x10, 0x3b, 0x55, 0x5d, 0x48, 0xaf, 0xbf, 0x1f, 0x03, 0x94, 0xc2, 0x18, 0x5a, 0x34];
const SEI_LEAD: Record<UnitCodec, readonly number[]> = { avc: [0x06, ...MESSAGE], hevc: [0x4e, 0x01, ...MESSAGE] };
/** rbsp_trailing_bits. */
const STOP = 0x80;

/** The 16 bytes in a SEI unit of ours; `mangled` if they are not as we write them, `null` for any other unit. */
export function readSei(codec: UnitCodec, body: Uint8Array, unit: Unit): Uint8Array | 'mangled' | null {
  const wire = body.subarray(unit.start, unit.end);
  const lead = SEI_LEAD[codec];
  if (!startsWith(wire, 0, lead)) return null;
  const escapes = findEscapes(wire, lead.length);
  if (!escapes) return 'mangled';
  const plain = withoutEscapes(wire, lead.length, wire.length, escapes);
  return plain.length === KEY_HEADER + 1 && plain[KEY_HEADER] === STOP ? plain.subarray(0, KEY_HEADER) : 'mangled';
}
