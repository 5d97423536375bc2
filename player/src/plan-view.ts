// The rundown of a channel: where it stands, what comes next, and the director's hand on it.

import { button, el, setText } from './dom';
import { clock } from './health';
import type { Cue, Plan } from './status';

export class PlanView {
  readonly root: HTMLElement;
  private readonly told = el('p', { class: 'why' });
  private readonly next: HTMLButtonElement;
  private readonly hold: HTMLButtonElement;
  private plan: Plan | null = null;

  constructor(send: (state: 'next' | 'hold' | 'go') => void) {
    this.next = button('wide', ['Next cue'], () => send('next'));
    this.hold = button('wide', [''], () => send(this.plan?.state === 'held' ? 'go' : 'hold'));
    this.root = el('div', { class: 'plan' }, el('h3', {}, 'Rundown'), this.told, el('div', { class: 'actions' }, this.next, this.hold));
    this.root.hidden = true;
  }

  update(plan: Plan | null): void {
    this.plan = plan;
    this.root.hidden = plan === null;
    if (plan === null) return;
    setText(this.told, planText(plan));
    setText(this.hold, plan.state === 'held' ? 'Go on' : 'Hold the rundown');
  }

  enable(live: boolean): void {
    this.next.disabled = !live || !this.plan?.on_next;
    this.hold.disabled = !live || this.plan === null;
  }
}

/** Where a rundown stands, in words. */
export function planText(plan: Plan): string {
  const told = [`${plan.state} · ${plan.done} done, ${plan.waiting} to come`];
  const first = plan.coming?.[0];
  if (first) told.push(`then ${cueText(first)}`);
  if (plan.on_next && plan.on_next.cue !== first?.cue) told.push(`on Next: ${cueText(plan.on_next)}`);
  return told.join(' · ');
}

function cueText(cue: Cue): string {
  const at = cue.t !== null && cue.t !== undefined ? `at ${clock(cue.t)} ` : cue.clock_utc ? `at ${cue.clock_utc} UTC ` : '';
  return `${at}${cue.what} (cue ${cue.cue})`;
}
