// AAC, in every mode. Version 1: a data_stream_element (ISO/IEC 14496-3, 4.4.2.1) in front
// of the raw data block, which is encrypted as a whole. Version 2: the whole ciphertext in
// such elements, and a silent block behind them, for those without the key.

import { joined, startsWith, type Bytes } from './bytes.js';
import { KEY_HEADER } from './key-header.js';
import type { TrackKey } from './key-ring.js';

/** Element 4, tag 15, align 0; a count follows, and as many bytes. */
const LEAD = 0x9e;
/** The first of those bytes; the key header follows. */
const MARK = [0x59, 0x58] as const;
/** Bytes of both. */
const FRONT = MARK.length + KEY_HEADER;
/** Bytes of the whole element of version 1, which has nothing else in it. */
export const DSE = 2 + FRONT;

/** Where the contents of the element at `at` are; they may end beyond the body. */
function elementAt(body: Uint8Array, at: number): { start: number; end: number } | null {
  const count = body[at + 1];
  if (body[at] !== LEAD || count === undefined) return null;
  if (count < 255) return { start: at + 2, end: at + 2 + count };
  const more = body[at + 2];
  return more === undefined ? null : { start: at + 3, end: at + 3 + count + more };
}

/** The header in the element at `payload`, as far as the body goes; `alone` if the element holds nothing else. */
export function findAacHeader(body: Uint8Array, payload: number): { header: Uint8Array; alone: boolean } | null {
  const element = elementAt(body, payload);
  if (!element || element.end - element.start < FRONT || !startsWith(body, element.start, MARK)) return null;
  const header = body.subarray(element.start + MARK.length, element.start + FRONT);
  return { header, alone: element.end - element.start === FRONT };
}

/** Version 2. `elements`: they break off. */
export async function openElements(body: Bytes, payload: number, seq: number, key: TrackKey): Promise<Bytes | 'elements'> {
  const pieces: Uint8Array[] = [];
  let at = payload;
  while (body[at] === LEAD) {
    const element = elementAt(body, at);
    if (!element || element.end > body.length) return 'elements';
    pieces.push(body.subarray(element.start, element.end));
    at = element.end;
  }
  // Behind them something is played: where nothing is, elements may be missing, too.
  if (at >= body.length) return 'elements';
  return joined([body.subarray(0, payload), await key.decrypt(seq, 0, joined(pieces).subarray(FRONT))]);
}

/** Version 1. */
export async function openAac(body: Bytes, payload: number, seq: number, key: TrackKey): Promise<Bytes> {
  return joined([body.subarray(0, payload), await key.decrypt(seq, 0, body.subarray(payload + DSE))]);
}
