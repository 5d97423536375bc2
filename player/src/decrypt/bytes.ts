// Bytes that WebCrypto takes: never in shared memory.

export type Bytes = Uint8Array<ArrayBuffer>;

export function startsWith(bytes: Uint8Array, at: number, prefix: readonly number[]): boolean {
  return at + prefix.length <= bytes.length && prefix.every((byte, index) => bytes[at + index] === byte);
}

/** A big-endian number of 1 to 4 bytes; bytes beyond the end read as 0. */
export function readNumber(bytes: Uint8Array, at: number, size: number): number {
  let number = 0;
  for (let index = at; index < at + size; index += 1) number = number * 256 + (bytes[index] ?? 0);
  return number;
}

/** Writes a big-endian number of `size` bytes, cut to them. */
export function writeNumber(bytes: Uint8Array, at: number, size: number, number: number): void {
  for (let index = at + size - 1; index >= at; index -= 1) {
    bytes[index] = number % 256;
    number = Math.floor(number / 256);
  }
}

export function joined(parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The bytes behind hexadecimal digits; `null` for anything else. */
export function fromHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => parseInt(text.slice(2 * index, 2 * index + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
