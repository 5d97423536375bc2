// Decryption, each tag by itself.

import { DSE, openAac, openElements } from './aac.js';
import type { Bytes } from './bytes.js';
import { openCapsule } from './capsule.js';
import type { Tag } from './flv-tag.js';
import { isReadable, type KeyHeader } from './key-header.js';
import type { KeyRing, TrackKey } from './key-ring.js';
import { findMarker, isLiteral, type Place } from './marker.js';
import { shapeOf, type LengthSize } from './shape.js';
import { openUnits, withoutMarker, type Torn } from './units-mode.js';

/** How an encrypted tag is damaged. */
export type Damage = 'marker' | 'mode' | 'elements' | Torn;

/** What became of a tag. */
export type Verdict =
  /** Clear by the rules: script tags, sequence headers, ends of sequence, commands, metadata. */
  | { is: 'exempt' }
  /** A coded frame that was never encrypted. */
  | { is: 'clear' }
  /** A clear coded frame whose literal mark was taken off. */
  | { is: 'literal' }
  /** Decrypted: as it was before encryption, bit for bit. */
  | { is: 'decrypted'; key: number }
  /** There is no key of this id; as it came. */
  | { is: 'unknown-key'; key: number }
  /** The key of this id is another one than the tag was encrypted under; as it came. */
  | { is: 'wrong-key'; key: number }
  /** Our marker, in a version or mode that is not known here; as it came. */
  | { is: 'unsupported'; version: number; mode: number }
  /** Encrypted, but torn on the way; as it came. */
  | { is: 'damaged'; why: Damage };

export interface Decrypted {
  tag: Tag;
  verdict: Verdict;
}

/**
 * Decrypts tags, in any order and from any starting point: each says all that is needed.
 * Between tags it keeps only how long NAL unit lengths are, as any decoder does.
 */
export class TagDecryptor {
  private lengthSize: LengthSize | null = null;

  constructor(readonly keys: KeyRing) {}

  /** May be called again before an answer is there; answers come to the tags in order of the calls. */
  async decrypt(tag: Tag): Promise<Decrypted> {
    // All up to the first `await` is done in order of the calls.
    const shape = shapeOf(tag);
    if (shape.rule === 'sequence') this.lengthSize = shape.lengthSize;
    if (shape.rule === 'sequence' || shape.rule === 'exempt') return { tag, verdict: { is: 'exempt' } };
    const marker = findMarker(tag.body, shape, this.lengthSize);
    if (!marker) return { tag, verdict: { is: 'clear' } };
    const { header, place } = marker;
    if (header === 'mangled') return { tag, verdict: { is: 'damaged', why: 'marker' } };
    if (!isReadable(header)) return { tag, verdict: { is: 'unsupported', ...header } };
    if (isLiteral(marker)) return { tag: { ...tag, body: unmarked(tag.body, place) }, verdict: { is: 'literal' } };
    const key = await this.keys.trackKey(header.key, header.salt, tag.kind);
    if (!key) return { tag, verdict: { is: 'unknown-key', key: header.key } };
    if (key.check !== header.check) return { tag, verdict: { is: 'wrong-key', key: header.key } };
    const body = await open(tag.body, place, header, key);
    if (typeof body === 'string') return { tag, verdict: { is: 'damaged', why: body } };
    return { tag: { ...tag, body }, verdict: { is: 'decrypted', key: header.key } };
  }
}

async function open(body: Bytes, place: Place, header: KeyHeader, key: TrackKey): Promise<Bytes | Damage> {
  if (place.is === 'dse' && header.mode === 'silence') return openElements(body, place.payload, header.seq, key);
  // Sound is wrapped whole in every mode, so either says the same.
  if (place.is === 'dse') return openAac(body, place.payload, header.seq, key);
  if (!place.whole) return 'framing';
  if (place.is === 'sei' && header.mode === 'nalu') return openUnits(body, place, header.seq, key);
  if (place.is === 'capsule' && header.mode === 'capsule') return openCapsule(body, place.payload, place.unit, header.seq, key);
  return 'mode';
}

function unmarked(body: Bytes, place: Place): Bytes {
  if (place.is === 'dse') return withoutMarker(body, place.payload, place.payload + DSE);
  return place.is === 'sei' ? withoutMarker(body, place.from, place.to) : body;
}
