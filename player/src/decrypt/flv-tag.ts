// An FLV tag and how it lies on the wire (Adobe FLV specification 10.1, annex E):
// 11 bytes of header, the body, and the size of both in 4 bytes.

import { joined, readNumber, writeNumber, type Bytes } from './bytes.js';

/** What a tag carries, as its number on the wire. */
export const AUDIO = 8;
export const VIDEO = 9;
export const SCRIPT = 18;
export type TagKind = typeof AUDIO | typeof VIDEO | typeof SCRIPT;

/** The longest body a tag can have, in bytes. */
export const MAX_BODY = 0xffffff;
export const TAG_HEADER = 11;
export const TRAILER = 4;

export interface Tag {
  kind: TagKind;
  /** When it is to be decoded (DTS), in milliseconds, 0 to 2^32 - 1. */
  timestamp: number;
  body: Bytes;
}

export function isTagKind(number: number | undefined): number is TagKind {
  return number === AUDIO || number === VIDEO || number === SCRIPT;
}

/** The 13 bytes before the first tag; `flags` says which tracks come: 4 sound, 1 pictures. */
export function fileHeader(flags = 5): Bytes {
  return Uint8Array.of(0x46, 0x4c, 0x56, 1, flags & 5, 0, 0, 0, 9, 0, 0, 0, 0);
}

export function wireLength(tag: Tag): number {
  return TAG_HEADER + tag.body.length + TRAILER;
}

export function writeTag(tag: Tag): Bytes {
  const out = new Uint8Array(wireLength(tag));
  const length = tag.body.length;
  out[0] = tag.kind;
  writeNumber(out, 1, 3, length);
  writeNumber(out, 4, 3, tag.timestamp % 0x1000000);
  out[7] = Math.floor(tag.timestamp / 0x1000000);
  out.set(tag.body, TAG_HEADER);
  writeNumber(out, TAG_HEADER + length, TRAILER, TAG_HEADER + length);
  return out;
}

export function writeTags(tags: readonly Tag[]): Bytes {
  return joined(tags.map(writeTag));
}

/** The timestamp of the tag header at `at`. */
export function timestampAt(bytes: Uint8Array, at: number): number {
  return readNumber(bytes, at + 7, 1) * 0x1000000 + readNumber(bytes, at + 4, 3);
}
