import { createEncryptedPlayer } from 'obvan-player';

const video = document.querySelector('video');
if (!video) throw new Error('the page has no video');

const player = createEncryptedPlayer(video, 'https://cdn.example/live/program/360p.flv', {
  keys: { 1: '000102030405060708090a0b0c0d0e0f' },
  onLocked: (why) => console.log('not readable:', why),
  onReconnecting: (why, attempt, waitMs) => console.log(`${why}; try ${attempt} in ${waitMs} ms`),
  onError: (kind, detail, message) => console.log('stopped:', kind, detail, message),
});
video.muted = true;
await player.play();

// The next key, before the show rotates to it.
player.keys.add(2, 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
