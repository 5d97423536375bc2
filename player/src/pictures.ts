// What sources and channels show, as small pictures. They are asked for one after the other, so that commands
// find a connection free, and only those in sight, in a tab that is looked at.

import { el, setText } from './dom';

/** Rounds of all pictures in sight begin this far apart, unless one takes longer. */
export const ROUND_MS = 500;
/** What has not come by then does not. */
const PATIENCE_MS = 5000;

/** How far a picture may be believed: `old` ones come no more, `rest` means that the engine makes none. */
export type Trust = 'fresh' | 'old' | 'rest';

/** What a picture is of. */
export interface Subject {
  name: string;
  /** Below `/thumb/`. */
  path: string;
}

export const ofSource = (name: string): Subject => ({ name, path: encodeURIComponent(name) });
/** With all that is drawn on it; the engine has none of a channel with a key. */
export const ofChannel = (name: string): Subject => ({ name, path: `channel/${encodeURIComponent(name)}` });

/** What is said over a picture that may not be taken for what is there now. */
export function noteOf(trust: Trust, filled: boolean): string {
  if (trust === 'rest') return filled ? 'overload: the last picture' : 'overload: no pictures';
  if (!filled) return 'no picture yet';
  return trust === 'old' ? '✕ the last picture' : '';
}

/** Where a picture is seen: the page may have several of one. */
export class Screen {
  readonly root: HTMLElement;
  /** What it is of, by its path. */
  path: string | null = null;
  inSight = false;
  private readonly canvas = el('canvas', { role: 'img', width: '16', height: '9' });
  private readonly note = el('span', { class: 'note' });
  private filled = false;
  private trust: Trust = 'fresh';
  /** The last one that was asked for did not come. */
  private missed = false;

  constructor(private readonly pictures: Pictures, ...over: HTMLElement[]) {
    this.root = el('span', { class: 'picture' }, this.canvas, this.note, ...over);
  }

  /** Shows this from now on; `null` is nothing. */
  show(subject: Subject | null, trust: Trust): void {
    this.trust = trust;
    const path = subject?.path ?? null;
    if (path !== this.path) {
      this.path = path;
      this.canvas.setAttribute('aria-label', subject === null ? 'nothing' : `picture of ${subject.name}`);
      this.canvas.getContext('2d')?.clearRect(0, 0, this.canvas.width, this.canvas.height);
      [this.filled, this.missed] = [false, false];
      const known = path === null ? undefined : this.pictures.last(path);
      if (known) this.draw(known);
      this.pictures.wake();
    }
    this.say();
  }

  draw(picture: ImageBitmap): void {
    if (this.canvas.width !== picture.width) this.canvas.width = picture.width;
    if (this.canvas.height !== picture.height) this.canvas.height = picture.height;
    this.canvas.getContext('2d')?.drawImage(picture, 0, 0);
    [this.filled, this.missed] = [true, false];
    this.say();
  }

  /** It was asked for, and did not come. */
  miss(): void {
    this.missed = true;
    this.say();
  }

  private say(): void {
    const trust = this.missed && this.trust === 'fresh' ? 'old' : this.trust;
    setText(this.note, this.path === null ? '' : noteOf(trust, this.filled));
  }
}

/** Asks for a picture; `null` where there is none. */
export type Ask = (path: string) => Promise<ImageBitmap | null>;

export class Pictures {
  private readonly screens = new Set<Screen>();
  private readonly known = new Map<string, ImageBitmap>();
  private readonly watch: IntersectionObserver;
  private may = false;
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly ask: Ask = fetched) {
    this.watch = new IntersectionObserver((entries) => {
      for (const screen of this.screens) {
        const last = entries.filter((entry) => entry.target === screen.root).pop();
        if (last) screen.inSight = last.isIntersecting;
      }
      this.wake();
    });
    document.addEventListener('visibilitychange', () => this.wake());
  }

  screen(...over: HTMLElement[]): Screen {
    const screen = new Screen(this, ...over);
    this.screens.add(screen);
    this.watch.observe(screen.root);
    return screen;
  }

  /** A screen that nobody sees any more. */
  drop(screen: Screen): void {
    this.screens.delete(screen);
    this.watch.unobserve(screen.root);
  }

  /** Whether pictures are to be had: not without a connection, and not while they rest. */
  allow(may: boolean): void {
    this.may = may;
    this.wake();
  }

  last(path: string): ImageBitmap | undefined {
    return this.known.get(path);
  }

  /** Something has changed: there may be something to ask for. */
  wake(): void {
    if (!this.busy && this.timer === null && this.wanted().length > 0) void this.round();
  }

  private wanted(): string[] {
    if (!this.may || document.hidden) return [];
    const paths = [...this.screens].flatMap((screen) => (screen.inSight && screen.path !== null ? [screen.path] : []));
    return [...new Set(paths)];
  }

  private async round(): Promise<void> {
    this.busy = true;
    const begun = performance.now();
    for (const path of this.wanted()) {
      if (!this.wanted().includes(path)) continue;
      const picture = await this.ask(path).catch(() => null);
      if (picture) this.keep(path, picture);
      else for (const screen of this.screens) if (screen.path === path) screen.miss();
    }
    this.busy = false;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.wake();
    }, Math.max(50, ROUND_MS - (performance.now() - begun)));
  }

  private keep(path: string, picture: ImageBitmap): void {
    this.known.get(path)?.close();
    this.known.set(path, picture);
    let shown = 0;
    for (const screen of this.screens) {
      if (screen.path !== path) continue;
      screen.draw(picture);
      shown += 1;
    }
    if (shown === 0) {
      this.known.delete(path);
      picture.close();
    }
  }
}

async function fetched(path: string): Promise<ImageBitmap | null> {
  const abort = new AbortController();
  const patience = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(`/thumb/${path}.jpg`, { signal: abort.signal, cache: 'no-store' });
    return answer.status === 200 ? await createImageBitmap(await answer.blob()) : null;
  } finally {
    clearTimeout(patience);
  }
}
