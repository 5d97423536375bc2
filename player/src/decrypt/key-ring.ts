// Master keys by their id, and the track keys derived from them by WebCrypto:
// HKDF-SHA256 with the tag's salt, info `flvc1 ‖ key id ‖ FLV tag type`.

import { fromHex, toHex, writeNumber, type Bytes } from './bytes.js';
import type { TagKind } from './flv-tag.js';

const KEY_LENGTH = 16;
/** ASCII `flvc1`; a new derivation would need a new one. */
const INFO = [0x66, 0x6c, 0x76, 0x63, 0x31];
/**
 * Derived keys kept, the latest first: two encryptors (main and backup) of two tracks
 * across a rotation. Whoever floods us with salts costs us derivations, not memory.
 */
const ROOM = 16;

/** The key of one track under one salt. */
export interface TrackKey {
  /** What a header says of its key, so that a wrong one is noticed. */
  readonly check: number;
  /** The `piece`-th encrypted part of tag `seq`. */
  decrypt(seq: number, piece: number, cipher: Bytes): Promise<Bytes>;
}

/** Which keys a reader has. May be changed while it reads. */
export class KeyRing {
  private readonly masters = new Map<number, Promise<CryptoKey>>();
  private readonly derived = new Map<string, Promise<TrackKey>>();

  /** `keys` by their id; each as 32 hexadecimal digits or 16 bytes. */
  constructor(keys: Readonly<Record<number, string | Uint8Array>> = {}) {
    for (const [id, key] of Object.entries(keys)) this.add(Number(id), key);
  }

  /**
   * Adds a key, or replaces the one of this id. What is handed in is copied into a
   * key that scripts cannot read back.
   * @throws RangeError if the id is not 0 to 255 or the key not 128 bits;
   *   Error if this page has no WebCrypto (it needs HTTPS or localhost).
   */
  add(id: number, key: string | Uint8Array): void {
    if (!Number.isInteger(id) || id < 0 || id > 255) throw new RangeError(`key id ${id} is not legal: 0 to 255`);
    const bytes = typeof key === 'string' ? fromHex(key.trim()) : Uint8Array.from(key);
    if (bytes?.length !== KEY_LENGTH) throw new RangeError(`key ${id} is not legal: 32 hexadecimal digits (16 bytes)`);
    const master = subtle().importKey('raw', bytes, 'HKDF', false, ['deriveKey']);
    // Whoever needs it learns of a failure; nobody else has to.
    master.catch(() => undefined);
    this.remove(id);
    this.masters.set(id, master);
  }

  /** Forgets a key and all that was derived from it. */
  remove(id: number): void {
    this.masters.delete(id);
    for (const name of this.derived.keys()) if (name.startsWith(`${id}/`)) this.derived.delete(name);
  }

  has(id: number): boolean {
    return this.masters.has(id);
  }

  /** The ids of all keys, in rising order. */
  ids(): number[] {
    return [...this.masters.keys()].sort((a, b) => a - b);
  }

  /** The key of a track under a salt; `null` where there is no master key of this id. */
  async trackKey(id: number, salt: Bytes, track: TagKind): Promise<TrackKey | null> {
    const master = this.masters.get(id);
    if (!master) return null;
    const name = `${id}/${track}/${toHex(salt)}`;
    const key = this.derived.get(name) ?? derive(master, id, salt, track);
    // A Map keeps the order of insertion: this one is now the latest.
    this.derived.delete(name);
    this.derived.set(name, key);
    for (const oldest of this.derived.keys()) {
      if (this.derived.size <= ROOM) break;
      this.derived.delete(oldest);
    }
    return key;
  }

  /** How many derived keys are kept. */
  get derivedKeys(): number {
    return this.derived.size;
  }
}

/** Whether this page may decrypt: browsers keep WebCrypto from pages that came over plain HTTP. */
export function canDecrypt(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

function subtle(): SubtleCrypto {
  if (!canDecrypt()) throw new Error('there is no WebCrypto here: the page must come over HTTPS or from localhost');
  return globalThis.crypto.subtle;
}

async function derive(master: Promise<CryptoKey>, id: number, salt: Bytes, track: TagKind): Promise<TrackKey> {
  const how = { name: 'HKDF', hash: 'SHA-256', salt, info: Uint8Array.of(...INFO, id, track) };
  const key = await subtle().deriveKey(how, await master, { name: 'AES-CTR', length: 8 * KEY_LENGTH }, false, ['encrypt', 'decrypt']);
  // AES of 16 × ff, got as the first keystream block of that counter.
  const all = new Uint8Array(16).fill(0xff);
  const block = new Uint8Array(await subtle().encrypt({ name: 'AES-CTR', counter: all, length: 128 }, key, new Uint8Array(2)));
  return {
    check: (block[0] ?? 0) * 256 + (block[1] ?? 0),
    decrypt: async (seq, piece, cipher) => {
      if (cipher.length === 0) return cipher;
      return new Uint8Array(await subtle().decrypt({ name: 'AES-CTR', counter: counterBlock(seq, piece), length: 32 }, key, cipher));
    },
  };
}

/** `0^16 ‖ seq32 ‖ piece16 ‖ 0^32 ‖ ctr32`, the last starting at 0. */
function counterBlock(seq: number, piece: number): Bytes {
  const block = new Uint8Array(16);
  writeNumber(block, 2, 4, seq);
  writeNumber(block, 6, 2, piece);
  return block;
}
