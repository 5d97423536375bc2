// What a tag's body is to us: which rule it falls under, told from its codec header
// alone. Sources: Adobe FLV specification 10.1, E.4; Enhanced RTMP version 2.

import { readNumber } from './bytes.js';
import { AUDIO, VIDEO, type Tag } from './flv-tag.js';

export type UnitCodec = 'avc' | 'hevc';
/** How many bytes the length before a NAL unit takes. */
export type LengthSize = 1 | 2 | 3 | 4;

export type Shape =
  /** Stays clear: script tags, ends of sequence, commands, metadata, empty bodies. */
  | { rule: 'exempt' }
  /** Stays clear, and tells how long NAL unit lengths are from here on. */
  | { rule: 'sequence'; lengthSize: LengthSize }
  /** One AAC raw data block from `payload` on. */
  | { rule: 'aac'; payload: number }
  /** Length-prefixed NAL units from `payload` on. */
  | { rule: 'units'; codec: UnitCodec; payload: number }
  /** There is no rule for it, so it is never encrypted. */
  | { rule: 'none' }
  /** Sequence headers of several tracks, or of one that is not the default: stays clear. */
  | { rule: 'track configs'; table: Table }
  /** Coded frames of such: each track's part has its rule. */
  | { rule: 'tracks'; table: Table };

/** How the parts of a body lie behind its codec header (Enhanced RTMP's multitrack). */
export interface Table {
  kind: 'audio' | 'video';
  /** `null` if each part names its own. */
  fourCc: string | null;
  sized: boolean;
  holds: 'configs' | 'frames' | 'ends' | 'neither';
  /** Bytes of composition time in front of each frame. */
  time: number;
  /** Where the first part begins. */
  payload: number;
}

/** One track's part of a body. */
export interface Part {
  track: number;
  /** Where its FourCC, number and length begin. */
  from: number;
  start: number;
  end: number;
  shape: Shape;
  /** It does not add up to the body: `end` is where the body ends. */
  torn: boolean;
}

const EXEMPT: Shape = { rule: 'exempt' };
const NO_RULE: Shape = { rule: 'none' };

export function shapeOf(tag: Tag): Shape {
  if (tag.body.length === 0) return EXEMPT;
  if (tag.kind === AUDIO) return audioShape(tag.body);
  if (tag.kind === VIDEO) return videoShape(tag.body);
  return EXEMPT;
}

/** Whether decoding may start with this tag's picture: a key frame, not its configuration. */
export function isKeyFrame(tag: Tag): boolean {
  const header = tag.kind === VIDEO ? videoHeader(tag.body) : null;
  return header !== null && header.frameType === 1 && (header.packet === 'frame' || header.packet === 'other frame');
}

function audioShape(body: Uint8Array): Shape {
  const first = body[0] ?? 0;
  if (first >> 4 === 9) return enhancedAudioShape(body, first);
  if (first >> 4 !== 10) return NO_RULE;
  if (body[1] === 0) return EXEMPT;
  return body[1] === 1 ? { rule: 'aac', payload: 2 } : NO_RULE;
}

function enhancedAudioShape(body: Uint8Array, first: number): Shape {
  const { type, at } = skipModifiers(body, 1, first & 0x0f);
  if (type === 5) return tracksShape(body, tableAt(body, at, 'audio'));
  const payload = at + 4;
  if (payload > body.length) return NO_RULE;
  if (type === 1 && fourCcAt(body, at) === 'mp4a') return { rule: 'aac', payload };
  return [0, 2, 4].includes(type) ? EXEMPT : NO_RULE;
}

/** The table at `at`, behind the packet type; `null` if it is cut or not legal. */
function tableAt(body: Uint8Array, at: number, kind: Table['kind']): Table | null {
  const types = body[at];
  if (types === undefined || types >> 4 > 2) return null;
  const content = types & 0x0f;
  if (!(kind === 'audio' ? [0, 1, 2, 4] : [0, 1, 2, 3, 4, 5]).includes(content)) return null;
  const payload = at + (types >> 4 === 2 ? 1 : 5);
  if (payload > body.length) return null;
  return {
    kind,
    fourCc: types >> 4 === 2 ? null : fourCcAt(body, at + 1),
    sized: types >> 4 !== 0,
    holds: content === 0 ? 'configs' : content === 1 || content === 3 ? 'frames' : content === 2 ? 'ends' : 'neither',
    time: kind === 'video' && content === 1 ? 3 : 0,
    payload,
  };
}

function tracksShape(body: Uint8Array, table: Table | null): Shape {
  if (!table) return NO_RULE;
  if (table.holds === 'configs') return { rule: 'track configs', table };
  // As of a single track.
  if (table.holds === 'ends' && table.kind === 'video') return [...partsOf(body, table)].some((part) => part.end > part.start) ? NO_RULE : EXEMPT;
  // A header without a track behind it gives nothing away.
  return table.holds === 'frames' && table.payload < body.length ? { rule: 'tracks', table } : EXEMPT;
}

/** A track's number takes a byte, so more parts than this are no honest body. */
const MOST_PARTS = 256;

/** The parts of a body; ends with the first that is torn. */
export function* partsOf(body: Uint8Array, table: Table): Generator<Part, void> {
  let from = table.payload;
  for (let count = 1; from < body.length; count += 1) {
    const lead = from + (table.fourCc === null ? 4 : 0) + 1;
    const start = Math.min(lead + (table.sized ? 3 : 0), body.length);
    const end = table.sized ? start + readNumber(body, lead, 3) : body.length;
    const torn = lead > body.length || (table.sized && lead + 3 > body.length) || end > body.length || count > MOST_PARTS;
    const part = { track: body[lead - 1] ?? 0, from, start, end: torn ? body.length : end, torn };
    yield { ...part, shape: partShape(table, table.fourCc ?? fourCcAt(body, from), body.subarray(part.start, part.end)) };
    if (torn) return;
    from = end;
  }
}

/** The rule of a part's data, as of a body that begins with it. */
function partShape(table: Table, fourCc: string, data: Uint8Array): Shape {
  if (table.kind === 'audio') {
    if (table.holds !== 'frames') return EXEMPT;
    return fourCc === 'mp4a' ? { rule: 'aac', payload: 0 } : NO_RULE;
  }
  const codec = unitCodec(fourCc);
  if (table.holds === 'frames') return codec && data.length >= table.time ? { rule: 'units', codec, payload: table.time } : NO_RULE;
  return codec && table.holds === 'configs' ? sequence(codec, data) : EXEMPT;
}

function fourCcAt(body: Uint8Array, at: number): string {
  return String.fromCharCode(...body.subarray(at, at + 4));
}

function unitCodec(fourCc: string): UnitCodec | null {
  return fourCc === 'avc1' ? 'avc' : fourCc === 'hvc1' ? 'hevc' : null;
}

/** What a decoder configuration says. */
function sequence(codec: UnitCodec, config: Uint8Array): Shape {
  const lengths = config[codec === 'avc' ? 4 : 21];
  return lengths === undefined ? EXEMPT : { rule: 'sequence', lengthSize: ((lengths & 3) + 1) as LengthSize };
}

interface VideoHeader {
  frameType: number;
  /** `other frame`: coded pictures that there is no rule for. */
  packet: 'sequence' | 'frame' | 'other frame' | 'end' | 'no frame';
  codec: UnitCodec | null;
  /** Where the codec header ends. */
  payload: number;
  table?: Table;
}

function videoShape(body: Uint8Array): Shape {
  const header = videoHeader(body);
  if (header?.table) return tracksShape(body, header.table);
  if (!header || header.packet === 'other frame') return NO_RULE;
  const { codec, payload } = header;
  // An end of sequence has no data: with some, players decode it as a picture.
  if (header.packet === 'end') return body.length > payload ? NO_RULE : EXEMPT;
  if (header.packet === 'frame') return codec ? { rule: 'units', codec, payload } : NO_RULE;
  if (header.packet === 'no frame' || !codec) return EXEMPT;
  return sequence(codec, body.subarray(payload));
}

/** `null` for a header that is cut or not legal. */
function videoHeader(body: Uint8Array): VideoHeader | null {
  const first = body[0];
  if (first === undefined) return null;
  const header = (first & 0x80) === 0 ? legacyVideo(body, first) : enhancedVideo(body, first);
  return header && header.frameType >= 1 && header.frameType <= 5 && header.payload <= body.length ? header : null;
}

function legacyVideo(body: Uint8Array, first: number): VideoHeader | null {
  const frameType = first >> 4;
  const codec = (first & 0x0f) === 7 ? 'avc' : (first & 0x0f) === 12 ? 'hevc' : null;
  if (frameType === 5) return { frameType, packet: 'no frame', codec, payload: 2 };
  if (!codec) return { frameType, packet: 'other frame', codec, payload: 1 };
  const packet = (['sequence', 'frame', 'end'] as const)[body[1] ?? 3];
  return packet ? { frameType, packet, codec, payload: 5 } : null;
}

function enhancedVideo(body: Uint8Array, first: number): VideoHeader | null {
  const frameType = (first >> 4) & 7;
  const { type, at } = skipModifiers(body, 1, first & 0x0f);
  if (type < 0) return null;
  if (frameType === 5 && type !== 4) return { frameType, packet: 'no frame', codec: null, payload: at + 1 };
  if (type === 6) {
    const table = tableAt(body, at, 'video');
    return table && { frameType, packet: table.holds === 'frames' ? 'other frame' : 'no frame', codec: null, payload: table.payload, table };
  }
  const fourCc = fourCcAt(body, at);
  const codec = unitCodec(fourCc);
  const payload = at + 4;
  switch (type) {
    case 0:
      return { frameType, packet: 'sequence', codec, payload };
    case 1: {
      // CodedFrames: a composition time comes first, for the codecs that have one.
      const withTime = codec !== null || fourCc === 'vvc1';
      return { frameType, packet: codec ? 'frame' : 'other frame', codec, payload: payload + (withTime ? 3 : 0) };
    }
    case 3:
      return { frameType, packet: codec ? 'frame' : 'other frame', codec, payload };
    case 2:
      return { frameType, packet: 'end', codec, payload };
    case 4:
    case 5:
      return { frameType, packet: 'no frame', codec, payload };
    default:
      return null;
  }
}

/** More modifiers than this are no honest tag. */
const MAX_MODIFIERS = 16;

/** Skips ModEx modifiers; the packet type behind them, or -1 if they are cut. */
function skipModifiers(body: Uint8Array, at: number, type: number): { type: number; at: number } {
  for (let count = 0; type === 7; count += 1) {
    if (count === MAX_MODIFIERS) return { type: -1, at };
    let size = (body[at] ?? 0) + 1;
    at += 1;
    if (size === 256) {
      size = readNumber(body, at, 2) + 1;
      at += 2;
    }
    at += size;
    const next = body[at];
    if (next === undefined) return { type: -1, at };
    type = next & 0x0f;
    at += 1;
  }
  return { type, at };
}
