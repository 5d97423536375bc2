// Tags out of a stream of bytes that comes in pieces, also a damaged one. However
// the stream is cut, the tags are the same.

import { readNumber, startsWith, type Bytes } from './bytes.js';
import { AUDIO, fileHeader, isTagKind, SCRIPT, TAG_HEADER, timestampAt, TRAILER, type Tag } from './flv-tag.js';

const FILE_HEADER = 9;
/** The longest file header that is believed, in bytes. */
const MAX_FILE_HEADER = 1 << 16;

/** Something else than FLV came. */
export class NotFlv extends Error {
  override readonly name = 'NotFlv';
}

/** What came out of one piece, in order. */
export interface Read {
  /** The 13 bytes of the file header; once, and before any tag. */
  header: Bytes | null;
  tags: Tag[];
}

/** How a stream ended. */
export interface Ending {
  /** Bytes of a tag of which the end is missing. */
  cut: number;
  /** The tag, if only its trailer is missing. */
  tag: Tag | null;
}

/** Holds at most one tag and the last piece. */
export class FlvReader {
  /** Places where the framing was damaged. */
  gaps = 0;
  /** Bytes skipped there, up to the next tag that is whole. */
  skipped = 0;
  private held: Bytes = new Uint8Array(1 << 16);
  private from = 0;
  private to = 0;
  private state: 'file header' | 'tag' | 'scan' = 'file header';

  /**
   * Takes the next piece.
   * @throws NotFlv if the stream is not FLV from its first bytes on.
   */
  push(piece: Uint8Array): Read {
    this.append(piece);
    const read: Read = { header: null, tags: [] };
    while (this.step(read)) {}
    return read;
  }

  /** Says that no more bytes come. */
  finish(): Ending {
    const have = this.to - this.from;
    if (this.state !== 'tag' || have === 0) {
      if (this.state === 'scan') this.skipped += have;
      return { cut: this.state === 'scan' ? 0 : have, tag: null };
    }
    const length = have >= TAG_HEADER ? this.bodyLength() : null;
    const whole = length !== null && have >= TAG_HEADER + length;
    return { cut: have, tag: whole ? this.tagOf(length) : null };
  }

  private append(piece: Uint8Array): void {
    if (this.to + piece.length > this.held.length) {
      const have = this.to - this.from;
      const room = have + piece.length > this.held.length ? 2 * (have + piece.length) : this.held.length;
      const next = room === this.held.length ? this.held : new Uint8Array(room);
      next.set(this.held.subarray(this.from, this.to));
      this.held = next;
      this.from = 0;
      this.to = have;
    }
    this.held.set(piece, this.to);
    this.to += piece.length;
  }

  /** One step; `false` when more bytes are needed. */
  private step(read: Read): boolean {
    switch (this.state) {
      case 'file header':
        return this.fileHeader(read);
      case 'tag':
        return this.tag(read);
      case 'scan':
        return this.scan();
    }
  }

  private has(length: number): boolean {
    return this.to - this.from >= length;
  }

  private fileHeader(read: Read): boolean {
    // A wrong signature need not wait for bytes that may never come.
    if (!this.has(3)) return false;
    if (!startsWith(this.held, this.from, [0x46, 0x4c, 0x56])) throw new NotFlv('the stream does not begin with FLV');
    if (!this.has(FILE_HEADER)) return false;
    const version = this.held[this.from + 3];
    if (version !== 1) throw new NotFlv(`FLV version ${version} is not known: 1`);
    const length = readNumber(this.held, this.from + 5, 4);
    if (length < FILE_HEADER || length > MAX_FILE_HEADER) throw new NotFlv(`an FLV header of ${length} bytes is not legal: 9 to ${MAX_FILE_HEADER}`);
    if (!this.has(length + TRAILER)) return false;
    const flags = this.held[this.from + 4] ?? 0;
    if (readNumber(this.held, this.from + length, TRAILER) !== 0) {
      this.from += FILE_HEADER;
      this.damaged();
      return true;
    }
    this.from += length + TRAILER;
    this.state = 'tag';
    read.header = fileHeader(flags);
    return true;
  }

  private tag(read: Read): boolean {
    if (!this.has(TAG_HEADER)) return false;
    const length = this.bodyLength();
    if (length === null) {
      this.damaged();
      this.skip(1);
      return true;
    }
    if (!this.has(TAG_HEADER + length + TRAILER)) return false;
    if (!this.trailerAgrees(length)) {
      this.damaged();
      this.skip(1);
      return true;
    }
    read.tags.push(this.tagOf(length));
    this.from += TAG_HEADER + length + TRAILER;
    return true;
  }

  private damaged(): void {
    this.gaps += 1;
    this.state = 'scan';
  }

  private skip(bytes: number): void {
    this.from += bytes;
    this.skipped += bytes;
  }

  /** Looks for the first tag that is whole: a legal, believable header whose trailer agrees. */
  private scan(): boolean {
    while (this.has(1)) {
      if (!isTagKind(this.held[this.from])) {
        this.skip(1);
        continue;
      }
      if (!this.has(TAG_HEADER + 1)) return false;
      const length = this.bodyLength();
      if (length === null || !this.isBelievable(length)) {
        this.skip(1);
        continue;
      }
      if (!this.has(TAG_HEADER + length + TRAILER)) return false;
      if (this.trailerAgrees(length)) {
        this.state = 'tag';
        return true;
      }
      this.skip(1);
    }
    return false;
  }

  /** The body's length in the tag header at the front; `null` if that is not legal. */
  private bodyLength(): number | null {
    const legal = isTagKind(this.held[this.from]) && readNumber(this.held, this.from + 8, 3) === 0;
    return legal ? readNumber(this.held, this.from + 1, 3) : null;
  }

  /**
   * Whether PreviousTagSize fits the tag. Some muxers leave the header out or
   * count it a byte short; that harms nobody, and a damaged length still shows.
   */
  private trailerAgrees(length: number): boolean {
    const size = readNumber(this.held, this.from + TAG_HEADER + length, TRAILER);
    return size === length + TAG_HEADER || (length > 0 && (size === length || size === length + 10));
  }

  /** Runs of zeros and small numbers look like tag headers; this keeps a scan from waiting on them. */
  private isBelievable(length: number): boolean {
    const kind = this.held[this.from];
    const first = this.held[this.from + TAG_HEADER] ?? 0;
    if (length === 0) return false;
    // Script tags begin with an AMF0 string.
    if (kind === SCRIPT) return first === 2;
    if (kind === AUDIO) return first >> 4 !== 12 && first >> 4 !== 13;
    const frame = (first >> 4) & 7;
    return frame >= 1 && frame <= 5 && ((first & 0x80) !== 0 || (first & 0x0f) !== 0);
  }

  private tagOf(length: number): Tag {
    const kind = this.held[this.from];
    if (!isTagKind(kind)) throw new Error('the header was checked');
    const body = this.held.slice(this.from + TAG_HEADER, this.from + TAG_HEADER + length);
    return { kind, timestamp: timestampAt(this.held, this.from), body };
  }
}
