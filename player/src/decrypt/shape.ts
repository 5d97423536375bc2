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
  | { rule: 'none' };

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

/** Nothing of enhanced audio is encrypted; what is no sound is clear by the rules. */
function enhancedAudioShape(body: Uint8Array, first: number): Shape {
  let { type, at } = skipModifiers(body, 1, first & 0x0f);
  if (type === 5) {
    const types = body[at] ?? 0xff;
    at += types >> 4 === 2 ? 1 : 5;
    type = types >> 4 <= 2 ? types & 0x0f : -1;
  } else {
    at += 4;
  }
  return [0, 2, 4].includes(type) && at <= body.length ? EXEMPT : NO_RULE;
}

interface VideoHeader {
  frameType: number;
  /** `other frame`: coded pictures that there is no rule for. */
  packet: 'sequence' | 'frame' | 'other frame' | 'no frame';
  codec: UnitCodec | null;
  /** Where the codec header ends. */
  payload: number;
}

function videoShape(body: Uint8Array): Shape {
  const header = videoHeader(body);
  if (!header || header.packet === 'other frame') return NO_RULE;
  const { codec, payload } = header;
  if (header.packet === 'frame') return codec ? { rule: 'units', codec, payload } : NO_RULE;
  if (header.packet === 'no frame' || !codec) return EXEMPT;
  const lengths = body[payload + (codec === 'avc' ? 4 : 21)];
  return lengths === undefined ? EXEMPT : { rule: 'sequence', lengthSize: ((lengths & 3) + 1) as LengthSize };
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
  const packet = (['sequence', 'frame', 'no frame'] as const)[body[1] ?? 3];
  return packet ? { frameType, packet, codec, payload: 5 } : null;
}

function enhancedVideo(body: Uint8Array, first: number): VideoHeader | null {
  const frameType = (first >> 4) & 7;
  const { type, at } = skipModifiers(body, 1, first & 0x0f);
  if (type < 0) return null;
  if (frameType === 5 && type !== 4) return { frameType, packet: 'no frame', codec: null, payload: at + 1 };
  if (type === 6) return multitrackVideo(body, at, frameType);
  const fourCc = String.fromCharCode(...body.subarray(at, at + 4));
  const codec = fourCc === 'avc1' ? 'avc' : fourCc === 'hvc1' ? 'hevc' : null;
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
    case 4:
    case 5:
      return { frameType, packet: 'no frame', codec, payload };
    default:
      return null;
  }
}

function multitrackVideo(body: Uint8Array, at: number, frameType: number): VideoHeader | null {
  const types = body[at];
  if (types === undefined || types >> 4 > 2 || (types & 0x0f) > 5) return null;
  const payload = at + (types >> 4 === 2 ? 1 : 5);
  const coded = (types & 0x0f) === 1 || (types & 0x0f) === 3;
  return { frameType, packet: coded ? 'other frame' : 'no frame', codec: null, payload };
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
