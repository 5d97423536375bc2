// Decryption alone: no DOM, no player. Runs wherever WebCrypto is, Node included.

export { FlvDecryptor, type Counts, type DecryptorOptions, type Locked, type Passed } from './flv-decryptor.js';
export { KeyRing, canDecrypt } from './key-ring.js';
export { TagDecryptor, type Damage, type Decrypted, type Verdict } from './tag-decryptor.js';
export { Gate, type ClearTags } from './gate.js';
export { FlvReader, NotFlv, type Ending, type Read } from './flv-reader.js';
export { AUDIO, SCRIPT, VIDEO, fileHeader, writeTag, writeTags, type Tag, type TagKind } from './flv-tag.js';
