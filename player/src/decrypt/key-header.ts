// `KH`, the 16 bytes in every marked tag that say how to read it.

import { readNumber } from './bytes.js';

export const KEY_HEADER = 16;
const VERSION = 1;
const MODES = ['literal', 'capsule', 'nalu'] as const;

export interface KeyHeader {
  /** `literal` is marked, not encrypted: the tag carried a marker of its own. */
  mode: (typeof MODES)[number];
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
  const mode = MODES[lead & 0x0f];
  if (lead >> 4 !== VERSION || mode === undefined) return { version: lead >> 4, mode: lead & 0x0f };
  return { mode, key: bytes[1] ?? 0, salt: Uint8Array.from(bytes.subarray(2, 10)), check: readNumber(bytes, 10, 2), seq: readNumber(bytes, 12, 4) };
}

export function isReadable(header: KeyHeader | Unreadable): header is KeyHeader {
  return 'seq' in header;
}
