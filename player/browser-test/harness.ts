// Runs in the browser: players that the tests start and ask for facts.

import { createEncryptedPlayer, type EncryptedPlayer } from 'obvan-player';

export interface Facts {
  /** Seconds. */
  time: number;
  pictures: number;
  /** Bytes of sound decoded. */
  sound: number;
  clear: number;
  decrypted: number;
  errors: string[];
  log: string[];
}

export interface Harness {
  start(path: string, keys: Record<number, string>): void;
  addKey(id: number, key: string): void;
  facts(): Facts;
  stop(): void;
}

let player: EncryptedPlayer | null = null;
let errors: string[] = [];
let log: string[] = [];

const harness: Harness = {
  start(path, keys) {
    harness.stop();
    errors = [];
    log = [];
    const video = document.createElement('video');
    document.body.append(video);
    video.addEventListener('error', () => errors.push(`video: ${video.error?.code} ${video.error?.message}`));
    player = createEncryptedPlayer(video, path, {
      keys,
      retry: { firstMs: 50 },
      onLocked: (why) => log.push(Object.values(why).join(' ')),
      onReadable: () => log.push('readable'),
      onReconnecting: () => log.push('reconnecting'),
      onReconnected: () => log.push('reconnected'),
      onError: (...all) => errors.push(`player: ${all.join(', ')}`),
      onEnded: () => errors.push('player: ended'),
    });
    player.play().catch((error: unknown) => errors.push(`play: ${String(error)}`));
  },
  addKey(id, key) {
    player?.keys.add(id, key);
  },
  facts() {
    const video = player?.video as (HTMLVideoElement & { webkitAudioDecodedByteCount: number }) | undefined;
    const verdicts = player?.counts()?.verdicts;
    return {
      time: video?.currentTime ?? 0,
      pictures: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
      sound: video?.webkitAudioDecodedByteCount ?? 0,
      clear: verdicts?.clear ?? 0,
      decrypted: verdicts?.decrypted ?? 0,
      errors,
      log,
    };
  },
  stop() {
    player?.destroy();
    player?.video.remove();
    player = null;
  },
};

declare global {
  interface Window {
    harness: Harness;
  }
}
window.harness = harness;
