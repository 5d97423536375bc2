// What the sources show, as small pictures. They are asked for one after the other, so that commands
// find a connection free, and only those in sight, in a tab that is looked at.

import { el, setText } from './dom';

/** Rounds of all pictures in sight begin this far apart, unless one takes longer. */
export const ROUND_MS = 500;
/** What has not come by then does not. */
const PATIENCE_MS = 5000;

/** How far a picture may be believed: `old` ones come no more, `rest` means that the engine makes none. */
export type Trust = 'fresh' | 'old' | 'rest';

/** What is said over a picture that may not be taken for what is there now. */
export function noteOf(trust: Trust, filled: boolean): string {
  if (trust === 'rest') return filled ? 'overload: the last picture' : 'overload: no pictures';
  if (!filled) return 'no picture yet';
  return trust === 'old' ? '✕ the last picture' : '';
}

/** Where a source is seen: the page may have several of one. */
export class Screen {
  readonly root: HTMLElement;
  source: string | null = null;
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

  /** Shows this source from now on; `null` is nothing. */
  show(source: string | null, trust: Trust): void {
    this.trust = trust;
    if (source !== this.source) {
      this.source = source;
      this.canvas.setAttribute('aria-label', source === null ? 'nothing' : `picture of ${source}`);
      this.canvas.getContext('2d')?.clearRect(0, 0, this.canvas.width, this.canvas.height);
      [this.filled, this.missed] = [false, false];
      const known = source === null ? undefined : this.pictures.last(source);
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
    setText(this.note, this.source === null ? '' : noteOf(trust, this.filled));
  }
}

/** Asks for a picture; `null` where there is none. */
export type Ask = (source: string) => Promise<ImageBitmap | null>;

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

  last(source: string): ImageBitmap | undefined {
    return this.known.get(source);
  }

  /** Something has changed: there may be something to ask for. */
  wake(): void {
    if (!this.busy && this.timer === null && this.wanted().length > 0) void this.round();
  }

  private wanted(): string[] {
    if (!this.may || document.hidden) return [];
    const sources = [...this.screens].flatMap((screen) => (screen.inSight && screen.source !== null ? [screen.source] : []));
    return [...new Set(sources)];
  }

  private async round(): Promise<void> {
    this.busy = true;
    const begun = performance.now();
    for (const source of this.wanted()) {
      if (!this.wanted().includes(source)) continue;
      const picture = await this.ask(source).catch(() => null);
      if (picture) this.keep(source, picture);
      else for (const screen of this.screens) if (screen.source === source) screen.miss();
    }
    this.busy = false;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.wake();
    }, Math.max(50, ROUND_MS - (performance.now() - begun)));
  }

  private keep(source: string, picture: ImageBitmap): void {
    this.known.get(source)?.close();
    this.known.set(source, picture);
    let shown = 0;
    for (const screen of this.screens) {
      if (screen.source !== source) continue;
      screen.draw(picture);
      shown += 1;
    }
    if (shown === 0) {
      this.known.delete(source);
      picture.close();
    }
  }
}

async function fetched(source: string): Promise<ImageBitmap | null> {
  const abort = new AbortController();
  const patience = setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(`/thumb/${encodeURIComponent(source)}.jpg`, { signal: abort.signal, cache: 'no-store' });
    return answer.status === 200 ? await createImageBitmap(await answer.blob()) : null;
  } finally {
    clearTimeout(patience);
  }
}
