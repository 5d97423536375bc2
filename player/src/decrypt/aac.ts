// AAC, in every mode: a data_stream_element (ISO/IEC 14496-3, 4.4.2.1) in front of the
// raw data block, which is encrypted as a whole.

import { joined, type Bytes } from './bytes.js';
import { KEY_HEADER } from './key-header.js';
import type { TrackKey } from './key-ring.js';

/** Element 4, tag 15, align 0, count 18, and the first two of those 18 bytes. */
export const DSE_LEAD = [0x9e, 0x12, 0x59, 0x58] as const;
/** Bytes of the whole element. */
export const DSE = DSE_LEAD.length + KEY_HEADER;

export async function openAac(body: Bytes, payload: number, seq: number, key: TrackKey): Promise<Bytes> {
  return joined([body.subarray(0, payload), await key.decrypt(seq, 0, body.subarray(payload + DSE))]);
}
