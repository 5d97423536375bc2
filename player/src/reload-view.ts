// The show file, read again: first what would change is shown, then it is done, if it is wanted.

import { post, type Said } from './command';
import { button, el, setText } from './dom';
import type { ShowEvent } from './status';

/** What the engine says of a reload, a line each. */
export interface Told extends Said {
  lines: string[];
}

/** An answer to a reload in words; `look` only asked what would be done. */
export function reloadTold(look: boolean, code: number, body: unknown): Told {
  const parts = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const list = (name: string): unknown[] => (Array.isArray(parts[name]) ? (parts[name] as unknown[]) : []);
  if (code === 200) {
    const lines = list('steps').map(String);
    const count = lines.length === 1 ? '1 step' : `${lines.length} steps`;
    if (look) return { level: 'info', text: lines.length === 0 ? 'The show file has not changed.' : `The show file has changed, by ${count}; nothing was done yet.`, lines };
    return { level: 'info', text: `Revision ${String(parts['show_revision'] ?? '?')} of the show file is in force since frame ${String(parts['frame'] ?? '?')}: ${count}.`, lines };
  }
  const problems = list('problems').map((said) => {
    const { line, column, message, help } = said as Record<string, unknown>;
    return `line ${String(line)}:${String(column)}: ${String(message)}${help ? ` (${String(help)})` : ''}`;
  });
  const legal = list('legal').map((what) => `possible: ${String(what)}`);
  const message = typeof parts['message'] === 'string' ? parts['message'] : `the engine answered ${code}`;
  return { level: 'alarm', text: `Nothing has changed: ${message}.`, lines: [...problems, ...legal] };
}

/** Whether the file was changed after what runs was read. */
export function isNewer(events: Pick<ShowEvent, 'code'>[]): boolean {
  const told = events.filter((event) => event.code === 'show-file-changed' || event.code === 'reloaded').pop();
  return told?.code === 'show-file-changed';
}

export class ReloadView {
  readonly root: HTMLElement;
  private readonly revision = el('p', { class: 'revision' }, 'revision –');
  private readonly said = el('p', { role: 'status', class: 'told' });
  private readonly lines = el('ul', { class: 'events' });
  private readonly look = button('reload small', ['Look what has changed …'], () => this.ask(true));
  private readonly apply = button('reload small', ['Apply it on air'], () => this.ask(false));
  private live = false;
  private asking = false;

  constructor() {
    this.apply.hidden = true;
    const choice = el('div', { class: 'scene-layouts', role: 'group', 'aria-label': 'show file' }, this.look, this.apply);
    this.root = el('article', { class: 'card' }, this.revision, choice, this.said, this.lines);
  }

  update(revision: number | undefined, events: ShowEvent[]): void {
    setText(this.revision, `revision ${revision ?? '–'}${isNewer(events) ? '; the file has changed since' : ''}`);
  }

  enable(live: boolean): void {
    this.live = live;
    this.look.disabled = !live || this.asking;
    this.apply.disabled = !live || this.asking;
  }

  private ask(look: boolean): void {
    this.asking = true;
    this.enable(this.live);
    void post(look ? { do: 'reload', state: 'dry-run' } : { do: 'reload' })
      .then(({ code, body }) => reloadTold(look, code, body))
      .catch((error: unknown): Told => ({ level: 'alarm', text: `The engine cannot be reached (${String(error)}).`, lines: [] }))
      .then((told) => {
        this.asking = false;
        this.enable(this.live);
        setText(this.said, told.text);
        this.said.className = `told ${told.level}`;
        this.lines.replaceChildren(...told.lines.map((line) => el('li', { class: 'event' }, line)));
        this.apply.hidden = !(look && told.level === 'info' && told.lines.length > 0);
      });
  }
}
