// Decryption, each tag by itself.

import { DSE, openAac, openElements } from './aac.js';
import { joined, writeNumber, type Bytes } from './bytes.js';
import { openCapsule } from './capsule.js';
import type { Tag, TagKind } from './flv-tag.js';
import { isReadable, type KeyHeader } from './key-header.js';
import type { KeyRing, TrackKey } from './key-ring.js';
import { findMarker, isLiteral, type Place } from './marker.js';
import { partsOf, shapeOf, type LengthSize, type Shape, type Table } from './shape.js';
import { openUnits, withoutMarker, type Torn } from './units-mode.js';

/** How an encrypted tag is damaged. */
export type Damage = 'marker' | 'mode' | 'elements' | Torn;

/**
 * What became of a tag. Where its tracks fared differently, the worst counts: damage before
 * one that cannot be read (the first of these) before a clear one before one marked as literal
 * before a decrypted one. Only if all can be read is any of them changed.
 */
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
  /** By track; 0 is the one that bodies of a single track belong to. */
  private readonly lengthSizes = new Map<number, LengthSize>();

  constructor(readonly keys: KeyRing) {}

  /** May be called again before an answer is there; answers come to the tags in order of the calls. */
  async decrypt(tag: Tag): Promise<Decrypted> {
    // All up to the first `await` is done in order of the calls.
    const { body } = tag;
    const shape = shapeOf(tag);
    if (shape.rule === 'sequence') this.lengthSizes.set(0, shape.lengthSize);
    if (shape.rule === 'track configs') this.noteTracks(body, shape.table);
    if (shape.rule === 'tracks') return this.decryptTracks(tag, shape.table);
    const read = await this.read(tag.kind, body, shape, this.lengthSizes.get(0) ?? null);
    return { tag: read.body === body ? tag : { ...tag, body: read.body }, verdict: read.verdict };
  }

  private noteTracks(body: Uint8Array, table: Table): void {
    for (const { track, shape, torn } of partsOf(body, table)) if (!torn && shape.rule === 'sequence') this.lengthSizes.set(track, shape.lengthSize);
  }

  /** Each part is read as a body of its own; all are changed, or none. */
  private async decryptTracks(tag: Tag, table: Table): Promise<Decrypted> {
    const { body, kind } = tag;
    const parts = [...partsOf(body, table)];
    const torn = parts.some((part) => part.torn);
    const read = await Promise.all(
      parts.map(async (part): Promise<Read> => {
        const data = body.subarray(part.start, part.end);
        const known = this.lengthSizes.get(part.track) ?? null;
        if (!part.torn) return this.read(kind, data, part.shape, known);
        return { body: data, verdict: findMarker(data, part.shape, known) ? FRAMING : { is: 'clear' } };
      }),
    );
    let verdict: Verdict = { is: 'exempt' };
    for (const one of read) verdict = worse(verdict, one.verdict);
    if (torn) {
      // Where the parts before are encrypted or marked, so was what is torn.
      const marked = read.some((one) => one.verdict.is !== 'clear');
      return { tag, verdict: marked ? worse(verdict, FRAMING) : verdict };
    }
    if (BADNESS[verdict.is] >= BADNESS['unknown-key'] || verdict.is === 'exempt') return { tag, verdict };
    const pieces: Uint8Array[] = [body.subarray(0, table.payload)];
    parts.forEach((part, index) => {
      const lead = body.slice(part.from, part.start);
      const data = read[index]?.body ?? body.subarray(part.start, part.end);
      if (table.sized) writeNumber(lead, lead.length - 3, 3, data.length);
      pieces.push(lead, data);
    });
    return { tag: { ...tag, body: joined(pieces) }, verdict };
  }

  /** Reads a body, or one track's part of it. */
  private async read(kind: TagKind, body: Bytes, shape: Shape, known: LengthSize | null): Promise<Read> {
    if (shape.rule !== 'aac' && shape.rule !== 'units') return { body, verdict: { is: shape.rule === 'none' ? 'clear' : 'exempt' } };
    const marker = findMarker(body, shape, known);
    if (!marker) return { body, verdict: { is: 'clear' } };
    const { header, place } = marker;
    if (header === 'mangled') return { body, verdict: { is: 'damaged', why: 'marker' } };
    if (!isReadable(header)) return { body, verdict: { is: 'unsupported', ...header } };
    if (isLiteral(marker)) return { body: unmarked(body, place), verdict: { is: 'literal' } };
    const key = await this.keys.trackKey(header.key, header.salt, kind);
    if (!key) return { body, verdict: { is: 'unknown-key', key: header.key } };
    if (key.check !== header.check) return { body, verdict: { is: 'wrong-key', key: header.key } };
    const clear = await open(body, place, header, key);
    if (typeof clear === 'string') return { body, verdict: { is: 'damaged', why: clear } };
    return { body: clear, verdict: { is: 'decrypted', key: header.key } };
  }
}

/** A body, or one track's part of it, as it is now. */
interface Read {
  body: Bytes;
  verdict: Verdict;
}

const FRAMING: Verdict = { is: 'damaged', why: 'framing' };
const BADNESS: Record<Verdict['is'], number> = { exempt: 0, decrypted: 1, literal: 2, clear: 3, 'unknown-key': 4, 'wrong-key': 4, unsupported: 4, damaged: 5 };

/** What is said of two tracks of a tag: the worse, and of equals the first. */
function worse(one: Verdict, other: Verdict): Verdict {
  return BADNESS[other.is] > BADNESS[one.is] ? other : one;
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
