// One channel of the desk: tally, cuts, filler, encryption, rungs, egress, pictures.

import { chip } from './chips';
import { button, el, Rows, setClass, setText } from './dom';
import { pictures } from './engine-view';
import { amount, bitrate, frameRate, type Meter } from './health';
import { ofChannel, ofSource, type Pictures, type Screen, type Subject, type Trust } from './pictures';
import { RungPlayer, type RungOffer } from './rung-player';
import { SourceTile, trustIn } from './source-tile';
import type { KeyStore } from './key-store';
import { encryption, fillerHold, intentText, onAirText, picturesRest, sourcesOnAir, type Channel, type Status } from './status';
import { PlanView } from './plan-view';
import type { Command } from './command';

/** The engine has told by then what was chosen here, or turned it down. */
const ECHO_MS = 2000;
/** How long the desk's mix takes. */
const MIX_MS = 500;

export interface Desk {
  send(command: Command): void;
  /** The keyboard acts on this channel from now on. */
  focus(channel: string): void;
  meter: Meter;
  keyStore: KeyStore;
  pictures: Pictures;
}

export class ChannelView {
  readonly root: HTMLElement;
  private preview: string | null = null;
  /** What the engine last said is next: another desk may have put it there. */
  private heard: string | null = null;
  /** What was chosen here and not heard back yet: what was chosen before it must not take its place. */
  private chosen: { source: string; until: number } | null = null;
  private channel: Channel;
  private status: Status | null = null;
  private tiles: SourceTile[] = [];
  private readonly onAir = el('strong', { class: 'source' });
  private readonly why = el('p', { class: 'why' });
  private readonly pgm: HTMLElement;
  private readonly pvw = el('strong', { class: 'source' });
  private readonly pgmScreen: Screen;
  private readonly pvwScreen: Screen;
  private readonly row = el('div', { class: 'tiles', role: 'group' });
  private readonly cut: HTMLButtonElement;
  private readonly mix: HTMLButtonElement;
  private readonly filler: HTMLButtonElement;
  private readonly seal: HTMLButtonElement;
  private readonly marks = el('div', { class: 'scene-layouts', role: 'group' });
  private readonly markButtons = new Map<string, HTMLButtonElement>();
  private readonly keysHere = el('span', { class: 'keys' });
  // What tells trouble stands first: a phone shows the left of a table.
  private readonly rungs = new Rows(['Rung', 'Frame rate', 'Bitrate', 'Pictures', 'Size', 'Frames', 'Key frames', 'Sent'], 'No rungs.');
  private readonly egress = new Rows(['Way out', 'Rung', 'State', 'Dropped', 'Sent', 'Reconnects', 'Where to'], 'No way out.');
  private readonly player: RungPlayer;
  private readonly plan: PlanView;

  constructor(channel: Channel, private readonly desk: Desk) {
    this.channel = channel;
    this.player = new RungPlayer(channel.name, desk.keyStore);
    this.plan = new PlanView((state) => this.desk.send({ channel: channel.name, do: 'plan', state }));
    this.pgmScreen = desk.pictures.screen();
    this.pvwScreen = desk.pictures.screen();
    const told = (...parts: HTMLElement[]): HTMLElement => el('div', { class: 'told' }, ...parts);
    this.pgm = el('div', { class: 'monitor pgm' }, this.pgmScreen.root, told(el('span', { class: 'tag' }, 'PGM on air'), this.onAir, this.why));
    const pvw = el('div', { class: 'monitor pvw' }, this.pvwScreen.root, told(el('span', { class: 'tag' }, 'PVW next'), this.pvw));
    this.cut = button('cut', ['CUT ', el('kbd', {}, 'Space')], () => this.take());
    this.mix = button('wide', [`Mix ${MIX_MS} ms `, el('kbd', {}, 'Enter')], () => this.dissolve());
    this.filler = button('wide', [''], () => this.toggleFiller());
    this.seal = button('wide', [''], () => this.toggleSeal());
    const title = el('h2', {}, channel.name, this.keysHere);
    const desk_ = el('div', { class: 'monitors' }, this.pgm, pvw, el('div', { class: 'actions' }, this.cut, this.mix, this.filler, this.seal));
    this.row.setAttribute('aria-label', `sources of ${channel.name}`);
    this.marks.setAttribute('aria-label', `watermarks of ${channel.name}`);
    this.root = el('section', { class: 'channel' }, title, desk_, this.row, this.marks, this.plan.root, el('h3', {}, 'Rungs'), this.rungs.root, this.player.root, el('h3', {}, 'Ways out'), this.egress.root);
    this.root.addEventListener('pointerdown', () => this.desk.focus(channel.name));
  }

  update(channel: Channel, status: Status): void {
    this.channel = channel;
    this.status = status;
    const sources = channel.sources ?? status.cameras.map((camera) => camera.name);
    this.layTiles(sources);
    const told = channel.preview ?? null;
    if (told !== this.heard) {
      this.heard = told;
      const waits = this.chosen !== null && this.chosen.source !== told && performance.now() < this.chosen.until;
      if (!waits) {
        this.chosen = null;
        this.preview = told ?? this.preview;
      }
    }
    for (const tile of this.tiles) tile.update(status);
    this.plan.update(channel.plan ?? null);
    if (this.preview === null || !sources.includes(this.preview)) {
      this.preview = sources.find((source) => source !== channel.on_air) ?? sources[0] ?? null;
    }
    setText(this.onAir, onAirText(channel));
    setClass(this.pgm, channel.on_air === null ? 'monitor idle' : 'monitor pgm');
    const asked = intentText(channel.intent);
    const since = `reason: ${channel.reason || 'none'} · since frame ${channel.since_frame}`;
    setText(this.why, asked === channel.on_air ? `as asked · ${since}` : `asked for: ${asked} · ${since}`);
    this.showTally();
    const hold = fillerHold(channel);
    setText(this.filler, hold === 'none' ? 'No filler' : hold === 'on' ? 'Release filler (held)' : 'Hold filler');
    setClass(this.filler, hold === 'on' ? 'wide held' : 'wide');
    const sealed = encryption(channel);
    setText(this.seal, sealed === 'none' ? 'Not encrypted' : sealed === 'on' ? `Encrypted${channel.key_id === null || channel.key_id === undefined ? '' : ` (key ${channel.key_id})`}: switch off` : `Clear: switch encryption on${channel.next_key_id === null || channel.next_key_id === undefined ? '' : ` (key ${channel.next_key_id})`}`);
    this.showMarks();
    this.showRungs(status.t);
    this.player.update({ rungs: channel.rungs.map((rung) => this.offered(rung.name)), key: channel.key_id ?? null, keyed: sealed !== 'none' });
  }

  /** Buttons act only while the engine is heard, and where there is something to act on. */
  enable(live: boolean): void {
    for (const node of this.root.querySelectorAll<HTMLButtonElement>('.tiles button')) node.disabled = !live;
    for (const made of this.markButtons.values()) made.disabled = !live;
    this.cut.disabled = !live || this.preview === null;
    this.mix.disabled = this.cut.disabled;
    this.filler.disabled = !live || fillerHold(this.channel) === 'none';
    this.plan.enable(live);
    this.seal.disabled = !live || encryption(this.channel) === 'none';
  }

  /** Keys came from elsewhere than the channel's own field. */
  keysChanged(): void {
    this.player.keysChanged();
  }

  showKeys(here: boolean): void {
    setText(this.keysHere, here ? ' · keys act here' : '');
    setClass(this.root, here ? 'channel keyed' : 'channel');
  }

  /** Digits: what comes next. */
  choose(index: number): void {
    const tile = this.tiles[index];
    if (!tile) return;
    this.preview = tile.source;
    this.chosen = { source: tile.source, until: performance.now() + ECHO_MS };
    this.showTally();
    // Other desks see it, too. What goes on air is always named: two commands may pass each other.
    this.desk.send({ channel: this.channel.name, do: 'preview', source: tile.source });
  }

  /** Space: what was chosen goes on air. */
  take(): void {
    if (this.preview !== null) this.bring(this.preview, { do: 'cut' });
  }

  /** Enter: what was chosen dissolves in. */
  dissolve(): void {
    if (this.preview !== null) this.bring(this.preview, { do: 'mix', over_ms: MIX_MS });
  }

  private bring(source: string, how: { do: 'cut' } | { do: 'mix'; over_ms: number }): void {
    const before = this.channel.on_air;
    this.desk.send({ channel: this.channel.name, ...how, source, ...(before === null ? {} : { expect: before }) });
    // What leaves the air is what comes next: a second Space goes back.
    if (before !== null && before !== source && this.tiles.some((tile) => tile.source === before)) {
      this.preview = before;
      this.showTally();
    }
  }

  private toggleFiller(): void {
    this.desk.send({ channel: this.channel.name, do: 'filler', state: fillerHold(this.channel) === 'on' ? 'off' : 'on' });
  }

  private toggleSeal(): void {
    this.desk.send({ channel: this.channel.name, do: 'encrypt', state: encryption(this.channel) === 'on' ? 'off' : 'on' });
  }

  /** A button for each watermark: pressed while it is shown. */
  private showMarks(): void {
    const marks = this.channel.watermarks ?? [];
    for (const mark of marks) {
      let made = this.markButtons.get(mark.name);
      if (!made) {
        made = button('layout', [`Watermark ${mark.name}`], () => this.toggleMark(mark.name));
        this.markButtons.set(mark.name, made);
        this.marks.append(made);
      }
      made.setAttribute('aria-pressed', String(mark.state === 'on'));
      made.title = mark.text ? `It says: ${mark.text}` : '';
    }
    for (const [name, made] of this.markButtons) made.hidden = !marks.some((mark) => mark.name === name);
    this.marks.hidden = marks.length === 0;
  }

  private toggleMark(name: string): void {
    const mark = this.channel.watermarks?.find((one) => one.name === name);
    if (mark) this.desk.send({ channel: this.channel.name, do: 'watermark', watermark: name, state: mark.state === 'on' ? 'off' : 'on' });
  }

  private layTiles(sources: string[]): void {
    if (sources.join('\n') === this.tiles.map((tile) => tile.source).join('\n')) return;
    for (const tile of this.tiles) tile.close();
    this.tiles = sources.map((source, index) =>
      new SourceTile(source, index, this.desk.pictures, { choose: () => this.choose(index), cut: () => this.bring(source, { do: 'cut' }) }));
    this.row.replaceChildren(...this.tiles.map((tile) => tile.root));
  }

  private showTally(): void {
    setText(this.pvw, this.preview ?? 'nothing');
    const onAirNow = sourcesOnAir(this.channel);
    for (const tile of this.tiles) tile.showTally(onAirNow.has(tile.source), tile.source === this.preview);
    this.showMonitors();
  }

  /** What is on air as the channel shows it, or, where that has a key, as the source does; and what is next. */
  private showMonitors(): void {
    const { status } = this;
    if (status === null) return;
    const source = (name: string | null): [Subject | null, Trust] => (name === null ? [null, 'fresh'] : [ofSource(name), trustIn(name, status)]);
    const own = encryption(this.channel) === 'none';
    const program: [Subject | null, Trust] = own ? [ofChannel(this.channel.name), picturesRest(status) ? 'rest' : 'fresh'] : source(this.channel.on_air);
    this.pgmScreen.show(...program);
    this.pvwScreen.show(...source(this.preview));
  }

  /** The channel is there no more. */
  close(): void {
    for (const tile of this.tiles) tile.close();
    for (const screen of [this.pgmScreen, this.pvwScreen]) this.desk.pictures.drop(screen);
  }

  /** Where a rung is served, if it is. */
  private offered(rung: string): RungOffer {
    const way = this.channel.egress.find((one) => one.rung === rung && one.target?.startsWith('/live/'));
    return { name: rung, path: way?.target?.split('/').map(encodeURIComponent).join('/') ?? null, clear: way?.clear ?? false };
  }

  private showRungs(t: number): void {
    this.rungs.update(
      this.channel.rungs.map((rung) => {
        const measured = this.desk.meter.measure(`${this.channel.name}/${rung.name}`, t, rung.bytes, rung.frames);
        return {
          key: rung.name,
          cells: [
            rung.name,
            chip(frameRate(rung.fps === undefined ? measured.fps : rung.fps)),
            chip(bitrate(rung.kbps === undefined ? measured.kbps : rung.kbps, 0)),
            pictures(rung),
            rung.width && rung.height ? `${rung.width}×${rung.height}` : 'N/A',
            String(rung.frames ?? 'N/A'),
            String(rung.keyframes ?? 'N/A'),
            amount(rung.bytes),
          ],
        };
      }),
    );
    this.egress.update(
      this.channel.egress.map((way) => ({
        key: `${way.name} ${way.rung ?? ''}`,
        cells: [way.name, way.rung ?? 'all', `${way.state ?? 'N/A'}${way.clear ? ', clear' : ''}`, String(way.dropped_frames ?? 'N/A'), amount(way.bytes), String(way.reconnects ?? 'N/A'), way.target ?? ''],
      })),
    );
  }
}
