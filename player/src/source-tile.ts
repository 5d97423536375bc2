// A source on the desk: its picture, whether it is on air or next, and how its lines are.

import { ICONS, SAID } from './camera-view';
import { button, el, setClass, setText } from './dom';
import { keyCap } from './keys';
import { ofSource, type Pictures, type Screen, type Trust } from './pictures';
import { boxText } from './scene-view';
import { picturesRest, type Camera, type Status } from './status';

export interface Health {
  text: string;
  /** Nothing new comes: what its picture shows is old. */
  old: boolean;
}

/** How a source's lines are; of a scene, what its boxes lack. */
export function health(source: string, status: Pick<Status, 'cameras' | 'scenes'>): Health {
  const camera = status.cameras.find((one) => one.name === source);
  if (camera) return { text: linesText(camera), old: !camera.lines.some((line) => line.state === 'live') };
  const scene = status.scenes?.find((one) => one.name === source);
  if (!scene) return { text: '', old: false };
  const lacking = scene.boxes.filter((box) => box.shows !== 'camera' && box.shows !== 'nothing');
  return { text: lacking.length === 0 ? `scene, ${scene.layout}` : lacking.map(boxText).join(' · '), old: false };
}

function linesText(camera: Camera): string {
  const lines = camera.lines.map((line) => {
    const state = [SAID[line.state] ?? line.state, ...(line.amiss ?? [])].join(', ');
    const use = camera.line === line.name && camera.lines.length > 1 ? ' (in use)' : '';
    return `${ICONS[line.state] ?? '?'} ${line.name} ${state}${use}`;
  });
  return lines.join(' · ');
}

/** How far a source's picture may be believed. */
export function trustIn(source: string, status: Pick<Status, 'cameras' | 'scenes' | 'load'>): Trust {
  if (picturesRest(status)) return 'rest';
  return health(source, status).old ? 'old' : 'fresh';
}

export interface Acts {
  choose(): void;
  cut(): void;
}

export class SourceTile {
  readonly root: HTMLElement;
  private readonly tally = el('span', { class: 'tally' });
  private readonly lines = el('span', { class: 'lines' });
  private readonly screen: Screen;

  constructor(readonly source: string, index: number, private readonly pictures: Pictures, acts: Acts) {
    this.screen = pictures.screen(this.tally);
    const cap = keyCap(index);
    const name = el('span', { class: 'name' }, ...(cap ? [el('kbd', {}, cap), ' '] : []), source);
    const pick = button('pick', [this.screen.root, name, this.lines], () => acts.choose());
    pick.title = `Choose ${source} as next`;
    const cut = button('now', ['Cut'], () => acts.cut());
    cut.setAttribute('aria-label', `Cut to ${source} now`);
    this.root = el('div', { class: 'tile' }, pick, cut);
  }

  update(status: Status): void {
    const { text, old } = health(this.source, status);
    this.screen.show(ofSource(this.source), trustIn(this.source, status));
    setText(this.lines, text);
    setClass(this.lines, old ? 'lines lost' : 'lines');
  }

  showTally(onAir: boolean, next: boolean): void {
    setClass(this.root, onAir ? 'tile pgm' : next ? 'tile pvw' : 'tile');
    setText(this.tally, [onAir ? 'PGM' : '', next ? 'PVW' : ''].filter(Boolean).join(' · '));
  }

  close(): void {
    this.pictures.drop(this.screen);
  }
}
