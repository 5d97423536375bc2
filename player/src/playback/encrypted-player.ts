// mpegts.js with decryption: a video element, an address, and keys.

import mpegts from 'mpegts.js';
import type { Counts, FlvDecryptor, Locked } from '../decrypt/flv-decryptor.js';
import type { ClearTags } from '../decrypt/gate.js';
import { KeyRing } from '../decrypt/key-ring.js';
import { encryptedLoader, type LoaderOptions } from './loader.js';
import type { MpegtsConfig, MpegtsPlayer } from './mpegts-types.js';
import type { Retry } from './retry.js';

export interface PlayerOptions {
  /** A ring, which may change while it plays, or keys by their id: 32 hexadecimal digits or 16 bytes each. */
  keys?: KeyRing | Readonly<Record<number, string | Uint8Array>>;
  /** A live stream (the default) is connected again when it breaks off or ends, and played near its end. */
  isLive?: boolean;
  /** `refuse` does not play what was never encrypted. The default is `allow`: a show may switch encryption off. */
  clear?: ClearTags;
  retry?: Partial<Retry>;
  /** What the stream has, where its header may not be believed. */
  hasAudio?: boolean;
  hasVideo?: boolean;
  /** Further configuration of mpegts.js; workers stay off, they could not decrypt. */
  mpegts?: MpegtsConfig;

  /** Nothing plays for want of a key: once for each key id, until it plays again. */
  onLocked?: (why: Locked) => void;
  /** The key is there, and a key frame came. */
  onReadable?: () => void;
  onReconnecting?: LoaderOptions['onReconnecting'];
  onReconnected?: () => void;
  /** Playback has stopped for good: of what kind, in what detail, in words. */
  onError?: (kind: string, detail: string, message: string) => void;
  /** The stream has ended. */
  onEnded?: () => void;
}

export interface EncryptedPlayer {
  readonly video: HTMLMediaElement;
  /** Keys may be added and removed while it plays. */
  readonly keys: KeyRing;
  /** The mpegts.js player underneath. */
  readonly player: MpegtsPlayer;
  /** What was decrypted on the present connection; `null` before the first. */
  counts(): Counts | null;
  /** Plays; rejects where the browser wants a user's gesture first. */
  play(): Promise<void>;
  /** Ends it and gives the video element back. */
  destroy(): void;
}

/** Whether this browser can play a live stream at all. */
export function canPlay(): boolean {
  return mpegts.getFeatureList().mseLivePlayback;
}

/**
 * Plays FLV over HTTP, encrypted or clear, in a video element. Loading begins at once.
 * @throws RangeError for a key that is none.
 */
export function createEncryptedPlayer(video: HTMLMediaElement, url: string, options: PlayerOptions = {}): EncryptedPlayer {
  const keys = options.keys instanceof KeyRing ? options.keys : new KeyRing(options.keys);
  const isLive = options.isLive ?? true;
  let decryptor: FlvDecryptor | null = null;
  const loader = encryptedLoader({ ...options, keys, isLive, onDecryptor: (made) => (decryptor = made) });
  const { hasAudio, hasVideo } = options;
  const source = { type: 'flv', isLive, url: new URL(url, document.baseURI).href, ...(hasAudio === undefined ? {} : { hasAudio }), ...(hasVideo === undefined ? {} : { hasVideo }) };
  const player = mpegts.createPlayer(source, {
    lazyLoad: false,
    liveBufferLatencyChasing: isLive,
    autoCleanupSourceBuffer: true,
    ...options.mpegts,
    // Classes with keys in them cannot be sent into a worker.
    enableWorker: false,
    enableWorkerForMSE: false,
    customLoader: loader,
  });
  player.on(mpegts.Events.ERROR, (kind: string, detail: string, info: { msg?: string } | undefined) => options.onError?.(kind, detail, info?.msg ?? detail));
  player.on(mpegts.Events.LOADING_COMPLETE, () => options.onEnded?.());
  player.attachMediaElement(video);
  player.load();
  let destroyed = false;
  return {
    video,
    keys,
    player,
    counts: () => decryptor?.counts ?? null,
    play: async () => player.play(),
    destroy: () => {
      if (destroyed) return;
      destroyed = true;
      // Within its own callback mpegts.js does not survive this: after it.
      queueMicrotask(() => player.destroy());
    },
  };
}
