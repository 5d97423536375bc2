// The engine's own card: whether it keeps up, and what each stage costs. Hidden until it is opened.

import { el, Rows, setClass, setText } from './dom';
import { clock } from './health';
import type { Load, Rung, Stage, Status } from './status';

/** Whether the engine keeps up, as one short text. */
export function loadText(load: Load | undefined): { text: string; overload: boolean } {
  const late = `ticks ${(load?.late_ms ?? 0).toFixed(0)} ms late`;
  if (typeof load?.overload_since !== 'number') return { text: load ? `✓ in time · ${late}` : 'no figures', overload: false };
  const shed = load.shed?.length ? load.shed.join(', ') : 'nothing';
  return { text: `✖ overload since ${clock(load.overload_since)} · ${late} · does without ${shed}`, overload: true };
}

/** A stage's row: what is not measured is not zero. */
export function figures(stage: Stage): string[] {
  const ms = (value: number | null | undefined) => (value === null || value === undefined ? 'N/A' : value.toFixed(1));
  return [stage.cpu_ms.toFixed(1), `${stage.queue} (${stage.queue_max})`, `${ms(stage.latency_ms)} (${ms(stage.latency_max_ms)})`];
}

/** All stages of a show that have figures, lines first, as pictures go. */
export function stages(status: Status): { key: string; cells: string[] }[] {
  const row = (what: string, of: string, stage: Stage | null | undefined) =>
    stage ? [{ key: `${what} ${of}`, cells: [`${what} ${of}`, ...figures(stage)] }] : [];
  return [
    ...status.cameras.flatMap((camera) => camera.lines.flatMap((line) => row('line', `${camera.name}/${line.name}`, line.stage))),
    ...status.channels.flatMap((channel) => [
      ...row('channel', channel.name, channel.stage),
      ...channel.rungs.flatMap((rung) => row('rung', `${channel.name}/${rung.name}`, rung.stage)),
    ]),
    ...row('thumbnails', `(${status.load?.thumbnails?.made ?? 0} made)`, status.load?.thumbnails?.stage),
  ];
}

/** Where a rung's pictures come from. */
export function pictures(rung: Rung): string {
  if (typeof rung.shed_since === 'number') return `✕ rests since ${clock(rung.shed_since)}`;
  if (rung.copied_from) return `copied from ${rung.copied_from}`;
  if (rung.carried_from) return `from ${rung.carried_from}`;
  return rung.encoder_missing ? `⚠ ${rung.encoder ?? 'software'}, for want of ${rung.encoder_missing}` : 'own';
}

export class EngineView {
  readonly root: HTMLElement;
  private readonly load = el('p', { class: 'why' });
  private readonly rows = new Rows(['Stage', 'CPU ms/s', 'Queue (most)', 'Latency ms (most)'], 'No figures yet.');
  private readonly details: HTMLDetailsElement;

  constructor() {
    this.details = el('details', {}, el('summary', {}, 'What each stage costs'), this.rows.root);
    this.root = el('article', { class: 'card' }, this.load, this.details);
  }

  update(status: Status): void {
    const { text, overload } = loadText(status.load);
    setText(this.load, text);
    setClass(this.load, overload ? 'alarmline alarm' : 'why');
    if (this.details.open) this.rows.update(stages(status));
  }
}
