// Where a viewer gives the page a channel's key, and sees which ones it has.

import { button, el, setText } from './dom';
import { parseKey, type KeyStore } from './key-store';

export class KeyField {
  readonly root: HTMLElement;
  private readonly field = el('input', { type: 'text', name: 'key', size: '34', placeholder: 'id: 32 hex digits', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
  private readonly said = el('span', { class: 'keysaid', role: 'status' });
  private readonly forgetButton = button('small', ['Forget keys'], () => this.forget());

  constructor(private readonly channel: string, private readonly store: KeyStore, private readonly changed: () => void) {
    const give = el('button', { type: 'submit', class: 'small' }, 'Use key');
    const form = el('form', { class: 'keyform', autocomplete: 'off' }, el('label', {}, 'Key ', this.field), give, this.forgetButton);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.give();
    });
    this.root = el('div', { class: 'keybox' }, form, this.said);
    this.show('');
  }

  /** Says anew which keys are there. */
  refresh(): void {
    this.show('');
  }

  private give(): void {
    const given = parseKey(this.field.value);
    if (!given) return this.show('That is no key: an id of 0 to 255, a colon, and 32 hexadecimal digits. ');
    try {
      this.store.add(this.channel, given);
    } catch (error) {
      return this.show(`${error instanceof Error ? error.message : String(error)}. `);
    }
    this.field.value = '';
    this.field.blur();
    this.show('');
    this.changed();
  }

  private forget(): void {
    this.store.forget(this.channel);
    this.show('');
    this.changed();
  }

  private show(trouble: string): void {
    const ids = this.store.ring(this.channel).ids();
    setText(this.said, `${trouble}${ids.length === 0 ? 'No key here.' : `Here: key ${ids.join(', ')}, until this tab is closed.`}`);
    this.forgetButton.disabled = ids.length === 0;
  }
}
