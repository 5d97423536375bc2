// The desk's keyboard: digits choose what comes next, Space cuts and Enter mixes to it.

export type Press = { do: 'choose'; index: number } | { do: 'cut' } | { do: 'mix' } | null;

export interface KeyLike {
  key: string;
  code?: string;
  repeat: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  target: EventTarget | null;
}

/** What a key press means; `null` where it is none of the desk's business. */
export function press(event: KeyLike): Press {
  if (event.ctrlKey || event.altKey || event.metaKey || inField(event.target)) return null;
  if (event.repeat) return null;
  if (/^[1-9]$/.test(event.key)) return { do: 'choose', index: Number(event.key) - 1 };
  if (event.key === '0') return { do: 'choose', index: 9 };
  if (event.key === ' ') return { do: 'cut' };
  // On a button or link Enter presses that.
  if (event.key === 'Enter' && !isPressed(event.target)) return { do: 'mix' };
  return null;
}

/** Whether a key goes into a field, where the desk must not take it. */
export function inField(target: EventTarget | null): boolean {
  const element = target as { tagName?: string; isContentEditable?: boolean } | null;
  if (!element?.tagName) return false;
  return element.isContentEditable === true || /^(INPUT|TEXTAREA|SELECT)$/i.test(element.tagName);
}

function isPressed(target: EventTarget | null): boolean {
  return /^(BUTTON|A|VIDEO)$/i.test((target as { tagName?: string } | null)?.tagName ?? '');
}

/** The key printed on the button of the source at `index`. */
export function keyCap(index: number): string {
  return index < 9 ? String(index + 1) : index === 9 ? '0' : '';
}
