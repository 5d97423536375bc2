// The pictures of one channel, one rung at a time. One connection a channel: a
// browser has six to a host, and commands need theirs.

import mpegts from 'mpegts.js';
import { button, el, setText } from './dom';

export class RungPlayer {
  readonly root: HTMLElement;
  private readonly said = el('p', { class: 'said', role: 'status' });
  private readonly screen = el('div', { class: 'screen' }, this.said);
  private readonly choice = el('div', { class: 'rungs' });
  private readonly stopButton = button('small', ['Stop'], () => this.stop('Stopped. Choose a rung to play.'));
  private rungs: string[] = [];
  private playing: { player: mpegts.Player; rung: string } | null = null;
  private sealed = false;

  constructor(private readonly channel: string) {
    this.root = el('div', { class: 'player' }, this.screen, this.choice);
    setText(this.said, 'Choose a rung to play it here.');
  }

  /** Follows the show: which rungs there are, and whether they need a key. */
  update(rungs: string[], sealed: boolean): void {
    if (rungs.join('\n') !== this.rungs.join('\n')) {
      this.rungs = rungs;
      this.choice.replaceChildren(...rungs.map((rung) => button('small', [`▶ ${rung}`], () => this.play(rung))), this.stopButton);
    }
    if (sealed !== this.sealed) {
      this.sealed = sealed;
      this.stop(sealed ? 'encrypted: needs the key; plays from the next version’s player' : 'Clear again. Choose a rung to play it here.');
    }
    for (const node of this.choice.querySelectorAll('button')) node.disabled = sealed;
    this.stopButton.disabled = this.playing === null;
  }

  private play(rung: string): void {
    this.stop(`Waiting for ${rung} …`);
    if (!mpegts.getFeatureList().mseLivePlayback) {
      setText(this.said, 'This browser has no Media Source Extensions; play the address under “Ways out” in another player.');
      return;
    }
    const url = new URL(`/live/${encodeURIComponent(this.channel)}/${encodeURIComponent(rung)}.flv`, location.href).href;
    const video = el('video', { muted: '', autoplay: '', playsinline: '', controls: '' });
    video.muted = true;
    const player = mpegts.createPlayer(
      { type: 'flv', isLive: true, url },
      { enableWorker: false, lazyLoad: false, liveBufferLatencyChasing: true, autoCleanupSourceBuffer: true },
    );
    this.playing = { player, rung };
    player.on(mpegts.Events.ERROR, (kind: string, detail: string) => this.stop(`${rung} stopped: ${kind}, ${detail}. Choose a rung to try again.`));
    player.on(mpegts.Events.LOADING_COMPLETE, () => this.stop(`${rung} has ended.`));
    video.addEventListener('playing', () => setText(this.said, `${rung}, muted at first; sound is in the picture's controls`));
    this.screen.prepend(video);
    player.attachMediaElement(video);
    player.load();
    Promise.resolve(player.play()).catch(() => setText(this.said, `${rung}: press play in the picture.`));
    this.stopButton.disabled = false;
  }

  /** Ends playing, if anything plays, and says why. */
  stop(why: string): void {
    const { playing } = this;
    this.playing = null;
    if (playing) {
      // Destroying within its own callback confuses the player: after it.
      queueMicrotask(() => playing.player.destroy());
    }
    this.screen.querySelector('video')?.remove();
    this.stopButton.disabled = true;
    setText(this.said, why);
  }
}
