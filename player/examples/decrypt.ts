import { FlvDecryptor, KeyRing } from 'obvan-player/decrypt';

/** Clear FLV of an encrypted stream, as long as its bytes come. */
export async function* decrypted(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const keys = new KeyRing({ 1: '000102030405060708090a0b0c0d0e0f' });
  const decryptor = new FlvDecryptor({ keys, clear: 'refuse', onLocked: (why) => console.error(why) });
  for await (const piece of stream) yield await decryptor.push(piece);
  yield await decryptor.finish();
  console.error(decryptor.counts);
}
