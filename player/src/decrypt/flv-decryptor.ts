// Whole FLV streams: bytes in, in any pieces, and decrypted FLV bytes out.

import { joined, type Bytes } from './bytes.js';
import { fileHeader, wireLength, writeTags, type Tag } from './flv-tag.js';
import { FlvReader } from './flv-reader.js';
import { Gate, isLocking, type ClearTags } from './gate.js';
import { KeyRing } from './key-ring.js';
import { TagDecryptor, type Decrypted, type Verdict } from './tag-decryptor.js';

/** Why coded frames are dropped until a key and a key frame come. */
export type Locked = Extract<Verdict, { is: 'unknown-key' | 'wrong-key' | 'unsupported' }>;

export interface DecryptorOptions {
  /** May get and lose keys while the stream runs. */
  keys?: KeyRing;
  /** `refuse` drops coded frames that were never encrypted; `allow` lets a show switch encryption off and on. */
  clear?: ClearTags;
  /** Something cannot be read for want of a key: once for each key id and reason, until the stream is readable again. */
  onLocked?: (why: Locked) => void;
  /** It can be read again, from a key frame on. */
  onReadable?: () => void;
}

/** What was done so far. */
export interface Counts {
  bytesIn: number;
  bytesOut: number;
  tags: number;
  /** Tags by what became of them. */
  verdicts: Record<Verdict['is'], number>;
  /** Tags that could not be read, by the id of the key they want. */
  locked: Map<number, number>;
  /** Tags that did not pass, for whatever reason. */
  dropped: number;
  /** Places where the FLV framing was damaged, and the bytes skipped there. */
  gaps: number;
  skipped: number;
}

/** What a piece of the stream became: the file header (once, first) and the tags that passed. */
export interface Passed {
  header: Bytes | null;
  tags: Tag[];
}

/** Tags whose decryption is under way at a time, and their bytes (or one tag, if that is longer). */
const TAGS_AT_ONCE = 64;
const BYTES_AT_ONCE = 1 << 21;

/**
 * Decrypts a stream. Calls are answered in their order, also when the next one is made
 * before the last is answered; wait for each to bound what is held.
 */
export class FlvDecryptor {
  readonly keys: KeyRing;
  private readonly reader = new FlvReader();
  private readonly decryptor: TagDecryptor;
  private readonly gate: Gate;
  /** What was reported, by the key it is about. */
  private readonly told = new Map<string, Verdict['is']>();
  private readonly counted: Omit<Counts, 'gaps' | 'skipped'> = {
    bytesIn: 0,
    bytesOut: 0,
    tags: 0,
    verdicts: { exempt: 0, clear: 0, literal: 0, decrypted: 0, 'unknown-key': 0, 'wrong-key': 0, unsupported: 0, damaged: 0 },
    locked: new Map(),
    dropped: 0,
  };
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: DecryptorOptions = {}) {
    this.keys = options.keys ?? new KeyRing();
    this.decryptor = new TagDecryptor(this.keys);
    this.gate = new Gate(options.clear);
  }

  get counts(): Counts {
    return { ...this.counted, gaps: this.reader.gaps, skipped: this.reader.skipped };
  }

  /**
   * Takes the next piece, of any size; gives the bytes of all tags that are whole by then.
   * Rejects with `NotFlv` if the stream is none.
   */
  async push(piece: Uint8Array): Promise<Bytes> {
    return written(await this.pushTags(piece));
  }

  /** The same, as tags. */
  pushTags(piece: Uint8Array): Promise<Passed> {
    return this.inTurn(async () => {
      this.counted.bytesIn += piece.length;
      const { header, tags } = this.reader.push(piece);
      return this.pass(header, tags);
    });
  }

  /** Says that no more bytes come; gives what is left: a last tag that lacks only its trailer. */
  async finish(): Promise<Bytes> {
    return written(await this.finishTags());
  }

  /** The same, as tags. */
  finishTags(): Promise<Passed> {
    return this.inTurn(async () => {
      const { tag } = this.reader.finish();
      return this.pass(null, tag ? [tag] : []);
    });
  }

  /** The stream goes on after a hole: drops pictures until a key frame. */
  tear(): void {
    this.gate.tear();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result;
    // The caller hears of it; so does whoever comes next.
    result.catch(() => undefined);
    return result;
  }

  private async pass(header: Bytes | null, tags: readonly Tag[]): Promise<Passed> {
    const passed: Tag[] = [];
    for (let from = 0, to = 0; from < tags.length; from = to) {
      let bytes = 0;
      while (to < tags.length && to - from < TAGS_AT_ONCE && (to === from || bytes + (tags[to]?.body.length ?? 0) <= BYTES_AT_ONCE)) {
        bytes += tags[to]?.body.length ?? 0;
        to += 1;
      }
      const done = await Promise.all(tags.slice(from, to).map((tag) => this.decryptor.decrypt(tag)));
      for (const each of done) if (this.note(each)) passed.push(each.tag);
    }
    // A damaged file header was skipped with what is behind it.
    const head = header ?? (passed.length > 0 && this.counted.bytesOut === 0 ? fileHeader() : null);
    this.counted.bytesOut += passed.reduce((sum, tag) => sum + wireLength(tag), head?.length ?? 0);
    return { header: head, tags: passed };
  }

  /** Counts and reports a tag; whether it passes. */
  private note(each: Decrypted): boolean {
    const { verdict } = each;
    const { counted, told, options } = this;
    counted.tags += 1;
    counted.verdicts[verdict.is] += 1;
    const passes = this.gate.admits(each);
    if (!passes) counted.dropped += 1;
    if (isLocking(verdict)) {
      if ('key' in verdict) counted.locked.set(verdict.key, (counted.locked.get(verdict.key) ?? 0) + 1);
      const about = 'key' in verdict ? `${verdict.key}` : `${verdict.version}/${verdict.mode}`;
      if (told.get(about) !== verdict.is) {
        told.set(about, verdict.is);
        options.onLocked?.(verdict);
      }
    } else if (told.size > 0 && !this.gate.isLocked) {
      told.clear();
      options.onReadable?.();
    }
    return passes;
  }
}

function written({ header, tags }: Passed): Bytes {
  return header ? joined([header, writeTags(tags)]) : writeTags(tags);
}
