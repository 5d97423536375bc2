// `KH`, the 16 bytes in every marked tag that say how to read it.

import { readNumber } from './bytes.js';

export const KEY_HEADER = 16;
/** By the first byte: version and mode. `silence` is mode 1 of version 2, which has no other. */
const MODES = { 0x10: 'literal', 0x11: 'capsule', 0x12: 'nalu', 0x21: 'silence' } as const;

export interface KeyHeader {
  /** `literal` is marked, not encrypted: the tag carried a marker of its own. */
  mode: (typeof MODES)[keyof typeof MODES];
  /** Which master key, 0 to 255. */
  key: number;
  salt: Uint8Array<ArrayBuffer>;
  /** Tells a wrong key from damage. */
  check: number;
  /** The tag's number under its salt. */
  seq: number;
}

/** A version or mode that is not known here. */
export interface Unreadable {
  version: number;
  mode: number;
}

export function parseKeyHeader(bytes: Uint8Array): KeyHeader | Unreadable {
  const lead = bytes[0] ?? 0;
  if (!isKnown(lead)) return { version: lead >> 4, mode: lead & 0x0f };
  return { mode: MODES[lead], key: bytes[1] ?? 0, salt: Uint8Array.from(bytes.subarray(2, 10)), check: readNumber(bytes, 10, 2), seq: readNumber(bytes, 12, 4) };
}

function isKnown(lead: number): lead is keyof typeof MODES {
  return lead in MODES;
}

export function isReadable(header: KeyHeader | Unreadable): header is KeyHeader {
  return 'seq' in header;
}
