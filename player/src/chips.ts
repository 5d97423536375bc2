// A health reading as a chip: icon, number and unit, never a colour alone.

import { el, setClass, setText } from './dom';
import type { Chip } from './health';

const SAID: Record<Chip['kind'], string> = {
  none: 'no data',
  zero: 'nothing arrives',
  low: 'too low',
  fps: 'frame rate',
  fine: 'normal',
};

export function chip(reading: Chip): HTMLElement {
  const node = el('span');
  setChip(node, reading);
  return node;
}

export function setChip(node: HTMLElement, reading: Chip): void {
  setClass(node, `chip ${reading.kind}`);
  setText(node, `${reading.icon} ${reading.number} ${reading.unit}`);
  if (node.title !== SAID[reading.kind]) node.title = SAID[reading.kind];
}
