// Finds the marker in a tag's body.

import { findCapsule } from './capsule.js';
import { findAacHeader } from './aac.js';
import { KEY_HEADER, isReadable, parseKeyHeader, type KeyHeader, type Unreadable } from './key-header.js';
import { addsUp, isSlice, readSei, units, type Unit } from './nalu.js';
import type { LengthSize, Shape, UnitCodec } from './shape.js';

/** Where a marker is. `whole`: the NAL unit lengths add up to the body. */
export type Place =
  /** A data_stream_element at the front of the raw data block at `payload`. */
  | { is: 'dse'; payload: number; whole: true }
  /** The NAL unit `unit`; the codec header ends at `payload`. */
  | { is: 'capsule'; payload: number; unit: Unit; whole: boolean }
  /** A SEI unit; `from..to` includes its length prefix. */
  | { is: 'sei'; codec: UnitCodec; size: LengthSize; from: number; to: number; whole: boolean };

export interface Marker {
  place: Place;
  header: KeyHeader | Unreadable | 'mangled';
}

/** Whether it says that the tag is clear. A capsule cannot. */
export function isLiteral(marker: Marker): boolean {
  const { header } = marker;
  return marker.place.is !== 'capsule' && header !== 'mangled' && isReadable(header) && header.mode === 'literal';
}

/** `known` is the length size that the last sequence header said, if there was one. */
export function findMarker(body: Uint8Array, shape: Shape, known: LengthSize | null): Marker | null {
  if (shape.rule === 'aac') return dse(body, shape.payload);
  if (shape.rule !== 'units') return null;
  const { codec, payload } = shape;
  // A SEI in front of a capsule was put there later, so it comes off first; and
  // sound framing tells more than one that breaks off.
  const first = known ?? 4;
  for (const size of new Set<LengthSize>([first, 4, 2, 1])) {
    const found = sei(body, payload, codec, size);
    if (found?.place.whole) return found;
  }
  const inside = codec === 'avc' ? capsule(body, payload) : null;
  if (inside?.place.whole) return inside;
  return sei(body, payload, codec, first) ?? inside;
}

function dse(body: Uint8Array, payload: number): Marker | null {
  const found = findAacHeader(body, payload);
  if (!found) return null;
  const header = found.header.length < KEY_HEADER ? 'mangled' : parseKeyHeader(found.header);
  // In version 1 the element holds nothing but the header.
  const fits = found.alone || header === 'mangled' || !isReadable(header) || header.mode === 'silence';
  return { place: { is: 'dse', payload, whole: true }, header: fits ? header : 'mangled' };
}

function capsule(body: Uint8Array, payload: number): Marker | null {
  const found = findCapsule(body, payload);
  if (!found) return null;
  const { unit, whole } = found;
  return { place: { is: 'capsule', payload, unit, whole }, header: found.header ? parseKeyHeader(found.header) : 'mangled' };
}

/** The last marker before the first slice: of nested ones, the outermost. */
function sei(body: Uint8Array, payload: number, codec: UnitCodec, size: LengthSize): Marker | null {
  let last: { unit: Unit; header: Uint8Array | 'mangled' } | null = null;
  let whole = true;
  let end = payload;
  for (const unit of units(body, payload, size)) {
    if (!unit) {
      whole = false;
      break;
    }
    end = unit.end;
    if (isSlice(codec, body, unit)) break;
    const header = readSei(codec, body, unit);
    if (header) last = { unit, header };
  }
  if (!last) return null;
  whole &&= addsUp(body, end, size);
  const { unit, header } = last;
  const place: Place = { is: 'sei', codec, size, from: unit.start - size, to: unit.end, whole };
  return { place, header: header === 'mangled' ? header : parseKeyHeader(header) };
}
