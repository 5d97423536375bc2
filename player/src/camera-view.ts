// The monitoring wall: a card per camera with its lines.

import { setChip } from './chips';
import type { Command } from './command';
import { button, el, setClass, setText } from './dom';
import { amount, bitrate, frameRate, type Meter } from './health';
import type { Camera, Line } from './status';

export const ICONS: Record<string, string> = { never: '○', connecting: '◌', live: '●', lost: '✕', ended: '■' };
export const SAID: Record<string, string> = {
  never: 'never seen',
  connecting: 'connecting',
  live: 'live',
  lost: 'lost',
  ended: 'ended',
};

interface LineView {
  root: HTMLElement;
  name: HTMLElement;
  state: HTMLElement;
  fps: HTMLElement;
  rate: HTMLElement;
  figures: HTMLElement;
  more: HTMLElement;
  use: HTMLButtonElement;
}

export class CameraView {
  readonly root: HTMLElement;
  private readonly lines = new Map<string, LineView>();
  private readonly list = el('div', { class: 'lines' });
  private readonly auto: HTMLButtonElement;

  constructor(private readonly name: string, private readonly send: (command: Command) => void) {
    this.auto = button('now', ['By the rules'], () => this.use('auto'));
    this.auto.setAttribute('aria-label', `Leave the choice of ${name}'s line to the rules`);
    this.auto.hidden = true;
    this.root = el('article', { class: 'card' }, el('h3', {}, name), this.list, this.auto);
  }

  private use(line: string): void {
    this.send({ do: 'line', camera: this.name, line });
  }

  update(camera: Camera, t: number, meter: Meter): void {
    const gone = new Set(this.lines.keys());
    for (const line of camera.lines) {
      gone.delete(line.name);
      let view = this.lines.get(line.name);
      if (!view) {
        const name = line.name;
        view = lineView(() => this.use(name));
        view.use.setAttribute('aria-label', `Use ${this.name}'s line ${name}`);
        this.lines.set(line.name, view);
        this.list.append(view.root);
      }
      show(view, line, meter.measure(`line ${this.name}/${line.name}`, t, line.bytes, undefined));
      const chosen = camera.chosen === line.name;
      const how = [camera.line === line.name ? 'in use' : '', chosen ? 'chosen' : ''].filter(Boolean).join(', ');
      setText(view.name, how ? `${line.name} (${how})` : line.name);
      view.use.hidden = camera.lines.length < 2 || chosen;
    }
    this.auto.hidden = camera.chosen === null || camera.chosen === undefined;
    for (const name of gone) {
      this.lines.get(name)?.root.remove();
      this.lines.delete(name);
    }
  }
}

function lineView(use: () => void): LineView {
  const name = el('span', { class: 'name' });
  const state = el('span');
  const fps = el('span');
  const rate = el('span');
  const figures = el('span', { class: 'more figures' });
  const more = el('span', { class: 'more' });
  const choose = button('now', ['Use'], use);
  const root = el('div', { class: 'line' }, name, state, fps, rate, figures, more, choose);
  return { root, name, state, fps, rate, figures, more, use: choose };
}

function show(view: LineView, line: Line, measured: { kbps: number | null }): void {
  const state = SAID[line.state] ?? line.state;
  setText(view.state, `${ICONS[line.state] ?? '?'} ${state}`);
  setClass(view.state, `state ${line.state}`);
  // A line that brings nothing at present has no rate; a live one without bytes has rate zero.
  const live = line.state === 'live';
  view.fps.hidden = line.fps === undefined;
  setChip(view.fps, frameRate(live ? line.fps : null));
  // Generated pictures have no bytes at all: no data, not zero.
  const kbps = line.kbps === undefined ? (line.bytes ? measured.kbps : null) : line.kbps;
  setChip(view.rate, bitrate(live ? kbps : null));
  setText(view.figures, figures(line));
  const lost = line.lost_s ? ` · lost for ${line.lost_s.toFixed(1)} s in all` : '';
  setText(view.more, `${line.packets ?? 'N/A'} packets · ${amount(line.bytes)}${lost}`);
}

/** What a line tells of itself beyond its rates; nothing of what it does not tell. */
export function figures(line: Line): string {
  const told: string[] = line.amiss?.length ? [line.amiss.join(', ')] : [];
  const say = (value: number | null | undefined, words: (value: number) => string): void => {
    if (value !== null && value !== undefined) told.push(words(value));
  };
  say(line.keyframe_s, (s) => `key frame every ${s.toFixed(1)} s`);
  say(line.queue_ms, (ms) => `${Math.round(ms)} ms wait${line.buffer_ms ? ` of ${Math.round(line.buffer_ms)}` : ''}`);
  say(line.network?.rtt_ms, (ms) => `round trip ${ms.toFixed(1)} ms`);
  say(line.network?.jitter_ms, (ms) => `jitter ${ms.toFixed(1)} ms`);
  say(line.network?.lost || null, (n) => `${n} packets lost on the way`);
  say(line.drift_ppm, (ppm) => `clock ${ppm > 0 ? '+' : ''}${ppm.toFixed(0)} ppm`);
  say(line.behind_ms, (ms) => (Math.round(ms) > 0 ? `${Math.round(ms)} ms behind the quickest by its clock` : 'the quickest by its clock'));
  say(line.decode_errors || null, (n) => `${n} decode errors`);
  return told.join(' · ');
}
