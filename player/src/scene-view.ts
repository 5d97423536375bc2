// A card per scene: a button for each of its layouts, and what its boxes show.

import type { Command } from './command';
import { button, el, setClass, setText } from './dom';
import type { Scene, SceneBox } from './status';

/** How long boxes take to their new places when a button is pressed. */
export const OVER_MS = 500;

export class SceneView {
  readonly root: HTMLElement;
  private readonly layouts = new Map<string, HTMLButtonElement>();
  private readonly choice = el('div', { class: 'scene-layouts', role: 'group' });
  private readonly boxes = el('div', { class: 'lines' });

  constructor(private readonly name: string, private readonly send: (command: Command) => void) {
    this.choice.setAttribute('aria-label', `layout of ${name}`);
    this.root = el('article', { class: 'card' }, el('h3', {}, `${name} (scene)`), this.choice, this.boxes);
  }

  update(scene: Scene): void {
    for (const layout of scene.layouts) {
      if (this.layouts.has(layout)) continue;
      const act = (): void => this.send({ do: 'scene', scene: this.name, layout, over_ms: OVER_MS });
      const made = button('layout', [layout], act);
      this.layouts.set(layout, made);
      this.choice.append(made);
    }
    for (const [layout, made] of this.layouts) {
      made.hidden = !scene.layouts.includes(layout);
      made.setAttribute('aria-pressed', String(layout === scene.layout));
    }
    while (this.boxes.children.length > scene.boxes.length) this.boxes.lastChild?.remove();
    scene.boxes.forEach((box, index) => {
      let row = this.boxes.children[index] as HTMLElement | undefined;
      if (!row) {
        row = el('div', { class: 'line' });
        this.boxes.append(row);
      }
      setText(row, boxText(box));
      setClass(row, box.shows === 'camera' || box.shows === 'nothing' ? 'line' : 'line lost');
    });
  }

  enable(live: boolean): void {
    for (const made of this.layouts.values()) made.disabled = !live;
  }
}

const SHOWS: Record<string, string> = {
  camera: '● live',
  held: '◌ last picture held',
  filler: '✕ lost, its filler is shown',
  empty: '✕ lost, empty',
  nothing: '○ not in this layout',
};

/** A box in one line: who, what is seen of it, how it is heard. */
export function boxText(box: SceneBox): string {
  const heard = box.mute === 'on' ? ' · muted' : box.level_db ? ` · ${box.level_db} dB` : '';
  return `${box.name} (${box.camera}) ${SHOWS[box.shows] ?? box.shows}${heard}`;
}
