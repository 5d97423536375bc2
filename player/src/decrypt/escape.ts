// ESC: emulation prevention over ciphertext (ITU-T H.264, 7.4.1), taken out.

import type { Bytes } from './bytes.js';

const ESCAPE = 3;

/**
 * Where `wire` holds inserted bytes from `clear` on, in rising order; the zeros
 * before one may lie in the clear bytes. `null` where it holds a start code, or an
 * escape with nothing behind it that needs one: that was never written.
 */
export function findEscapes(wire: Uint8Array, clear: number): number[] | null {
  const found: number[] = [];
  let at = Math.max(0, clear - 2);
  for (;;) {
    const zero = wire.indexOf(0, at);
    if (zero < 0 || zero + 2 >= wire.length) return found;
    const third = zero + 2;
    if (wire[zero + 1] !== 0) {
      at = third;
      continue;
    }
    const byte = wire[third] ?? 0;
    if (byte === ESCAPE && (wire[third + 1] ?? 0xff) <= ESCAPE) found.push(third);
    else if (byte <= ESCAPE) return null;
    at = third + 1;
  }
}

/** `wire[from..to]` without the bytes at `escapes`. */
export function withoutEscapes(wire: Uint8Array, from: number, to: number, escapes: readonly number[]): Bytes {
  const out = new Uint8Array(to - from - escapes.length);
  let at = from;
  let end = 0;
  for (const next of [...escapes, to]) {
    out.set(wire.subarray(at, next), end);
    end += next - at;
    at = next + 1;
  }
  return out;
}
