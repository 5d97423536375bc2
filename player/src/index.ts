// The package: decryption, the loader for mpegts.js, and a player of both.

export * from './decrypt/index.js';
export { encryptedLoader, type LoaderOptions } from './playback/loader.js';
export { canPlay, createEncryptedPlayer, type EncryptedPlayer, type PlayerOptions } from './playback/encrypted-player.js';
export { RETRY, type Retry } from './playback/retry.js';
export type { Loader, LoaderClass, LoaderConfig, MpegtsConfig, MpegtsPlayer } from './playback/mpegts-types.js';
