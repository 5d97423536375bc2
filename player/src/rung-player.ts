// The pictures of one channel, one rung at a time. One connection a channel: a
// browser has six to a host, and commands need theirs.

import { canPlay, createEncryptedPlayer, type EncryptedPlayer, type Locked } from './index';
import { button, el, setText } from './dom';
import { KeyField } from './key-field';
import type { KeyStore } from './key-store';

/** What the show says of a channel's rungs. */
export interface Offer {
  rungs: RungOffer[];
  /** The id of the key that tags are encrypted with now; `null` while they are clear. */
  key: number | null;
  /** Whether the channel has keys at all. */
  keyed: boolean;
}

export interface RungOffer {
  name: string;
  /** Where it is served; `null` if it is not. */
  path: string | null;
  /** It is served clear, whatever the channel's encryption. */
  clear: boolean;
}

export class RungPlayer {
  readonly root: HTMLElement;
  private readonly said = el('p', { class: 'said', role: 'status' });
  private readonly screen = el('div', { class: 'screen' }, this.said);
  private readonly choice = el('div', { class: 'rungs' });
  private readonly stopButton = button('small', ['Stop'], () => this.stop('Stopped. Choose a rung to play.'));
  private readonly keyField: KeyField;
  private offer: Offer = { rungs: [], key: null, keyed: false };
  private playing: { player: EncryptedPlayer; rung: string } | null = null;
  /** Something was said that stands until something else happens. */
  private told = false;

  constructor(private readonly channel: string, private readonly keys: KeyStore) {
    this.keyField = new KeyField(channel, keys, () => this.invite());
    this.keyField.root.hidden = true;
    this.root = el('div', { class: 'player' }, this.screen, this.choice, this.keyField.root);
  }

  /** Follows the show: which rungs there are, and whether they need a key. */
  update(offer: Offer): void {
    if (JSON.stringify(offer.rungs) !== JSON.stringify(this.offer.rungs)) {
      this.choice.replaceChildren(
        ...offer.rungs.map((rung) => {
          const node = button('small', [`▶ ${rung.name}`], () => this.play(rung));
          node.disabled = rung.path === null;
          if (rung.path === null) node.title = 'no egress serves it';
          return node;
        }),
        this.stopButton,
      );
    }
    this.offer = offer;
    this.keyField.root.hidden = !offer.keyed || offer.rungs.every((rung) => rung.path === null || rung.clear);
    this.stopButton.disabled = this.playing === null;
    this.invite();
  }

  /** Says what to do next, while nothing plays and nothing else stands there. */
  private invite(): void {
    if (this.playing || this.told) return;
    const { key, rungs } = this.offer;
    const served = rungs.filter((rung) => rung.path !== null);
    const missing = key !== null && served.some((rung) => !rung.clear) && !this.keys.ring(this.channel).has(key);
    if (served.length === 0) setText(this.said, 'This channel is not served to viewers: it has no egress of the kind serve http-flv.');
    else setText(this.said, missing ? `Encrypted with key ${key}, which is not here: give it below, then choose a rung.` : 'Choose a rung to play it here.');
  }

  /** Keys came from elsewhere than the field here. */
  keysChanged(): void {
    this.keyField.refresh();
    this.invite();
  }

  private play({ name, path }: RungOffer): void {
    if (path === null) return;
    this.stop(`Waiting for ${name} …`);
    if (!canPlay()) return this.say('This browser has no Media Source Extensions; play the address under “Ways out” in another player.');
    const video = el('video', { muted: '', autoplay: '', playsinline: '', controls: '' });
    video.muted = true;
    let locked = false;
    const shown = (): void => {
      // What was buffered before a key went missing may still begin to play.
      if (!locked) this.say(`${name}, muted at first; sound is in the picture's controls`);
    };
    const player = createEncryptedPlayer(video, path, {
      keys: this.keys.ring(this.channel),
      onLocked: (why) => {
        locked = true;
        this.say(`${name}: ${lacking(why)}`);
      },
      onReadable: () => {
        locked = false;
        this.say(`${name}: the key is there.`);
      },
      onReconnecting: (why, attempt, waitMs) => this.say(`${name} broke off (${why}). Try ${attempt} in ${(waitMs / 1000).toFixed(1)} s …`),
      onReconnected: () => this.say(`${name} is connected again.`),
      onError: (kind, detail, message) => this.stop(`${name} stopped: ${kind}, ${detail} (${message}). Choose a rung to try again.`),
      onEnded: () => this.stop(`${name} has ended.`),
    });
    this.playing = { player, rung: name };
    video.addEventListener('playing', shown);
    this.screen.prepend(video);
    player.play().catch((error: unknown) => {
      // Another rung was chosen meanwhile, or the browser wants a gesture.
      if (this.playing?.player === player && error instanceof DOMException && error.name === 'NotAllowedError') this.say(`${name}: press play in the picture.`);
    });
    this.stopButton.disabled = false;
  }

  /** Ends playing, if anything plays, and says why. */
  stop(why: string): void {
    this.playing?.player.destroy();
    this.playing = null;
    this.screen.querySelector('video')?.remove();
    this.stopButton.disabled = true;
    this.say(why);
  }

  private say(text: string): void {
    this.told = true;
    setText(this.said, text);
  }
}

function lacking(why: Locked): string {
  switch (why.is) {
    case 'unknown-key':
      return `key ${why.key} is missing: give it below.`;
    case 'wrong-key':
      return `key ${why.key} here is not the one the show encrypts with: give the right one below.`;
    case 'unsupported':
      return `encrypted in version ${why.version}, mode ${why.mode}, which this page does not know.`;
  }
}
