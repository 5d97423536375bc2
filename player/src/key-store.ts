// The keys a viewer has given this page. They live in WebCrypto and in this tab's
// session storage, so that a reload does not ask again; never anywhere else.

import { KeyRing } from './decrypt/index.js';

export interface GivenKey {
  id: number;
  /** 32 hexadecimal digits. */
  key: string;
}

/** Reads `1: 32 hex digits`; `null` for anything else. */
export function parseKey(text: string): GivenKey | null {
  const [, id, key] = /^\s*(\d{1,3})\s*:\s*([0-9a-f]{32})\s*$/i.exec(text) ?? [];
  return id !== undefined && key !== undefined && Number(id) <= 255 ? { id: Number(id), key } : null;
}

/** The keys in an address' fragment, `#key=1:HEX&key=2:HEX`, which no browser sends to a server. */
export function keysInFragment(hash: string): GivenKey[] {
  const values = new URLSearchParams(hash.replace(/^#/, '')).getAll('key');
  return values.flatMap((value) => parseKey(value) ?? []);
}

/** As session storage, and as a Map in tests. */
export interface Drawer {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
}

const NAME = 'obvan-keys';
/** Keys from the address are for whatever channel has one of their id. */
export const EVERY_CHANNEL = '';

interface Kept extends GivenKey {
  channel: string;
}

/** One ring a channel: two channels may use the same id for two keys. */
export class KeyStore {
  private kept: Kept[] = [];
  private readonly rings = new Map<string, KeyRing>();

  constructor(private readonly drawer: Drawer | null) {
    for (const one of this.read()) this.keep(one);
  }

  /** The channel's ring; what is added later comes into it, too. */
  ring(channel: string): KeyRing {
    let ring = this.rings.get(channel);
    if (!ring) {
      ring = new KeyRing();
      this.rings.set(channel, ring);
      for (const one of this.kept) if (one.channel === EVERY_CHANNEL || one.channel === channel) ring.add(one.id, one.key);
    }
    return ring;
  }

  /** Adds a key, or replaces the one of this id. Throws where the page has no WebCrypto. */
  add(channel: string, given: GivenKey): void {
    // Asked first: what cannot be used is not kept.
    new KeyRing({ [given.id]: given.key });
    this.keep({ ...given, channel });
    for (const [name, ring] of this.rings) if (channel === EVERY_CHANNEL || channel === name) ring.add(given.id, given.key);
    this.write();
  }

  /** Forgets all keys of a channel, those for every channel included. */
  forget(channel: string): void {
    this.kept = this.kept.filter((one) => one.channel !== channel && one.channel !== EVERY_CHANNEL);
    for (const [name, ring] of this.rings) {
      for (const id of ring.ids()) if (!this.kept.some((one) => one.id === id && (one.channel === name || one.channel === EVERY_CHANNEL))) ring.remove(id);
    }
    this.write();
  }

  private keep(one: Kept): void {
    this.kept = [...this.kept.filter((other) => other.channel !== one.channel || other.id !== one.id), one];
  }

  private read(): Kept[] {
    try {
      const kept: unknown = JSON.parse(this.drawer?.getItem(NAME) ?? '[]');
      return Array.isArray(kept) ? kept.filter((one: Kept) => typeof one?.channel === 'string' && parseKey(`${one.id}:${one.key}`) !== null) : [];
    } catch {
      return [];
    }
  }

  private write(): void {
    try {
      this.drawer?.setItem(NAME, JSON.stringify(this.kept));
    } catch {
      // Full or forbidden: a reload will ask again.
    }
  }
}

/** This tab's session storage, where the browser allows it. */
export function sessionDrawer(): Drawer | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
