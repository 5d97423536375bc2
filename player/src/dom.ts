// Elements made once and then only changed where something differs, so that
// focus, pressed buttons and running pictures survive every update.

type Child = Node | string;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(node: HTMLElement, name: string): void {
  if (node.className !== name) node.className = name;
}

/** A button that gives focus back after a pointer press, so that Space stays the cut. */
export function button(name: string, label: Child[], act: () => void): HTMLButtonElement {
  const node = el('button', { type: 'button', class: name }, ...label);
  node.addEventListener('click', (event) => {
    if (event.detail > 0) node.blur();
    act();
  });
  return node;
}

/** A table whose rows follow a list; a row is kept as long as its key is there. */
export class Rows {
  readonly root: HTMLElement;
  private readonly body = el('tbody');
  private readonly rows = new Map<string, HTMLTableCellElement[]>();

  constructor(private readonly heads: string[], empty: string) {
    const head = el('tr', {}, ...heads.map((text) => el('th', { scope: 'col' }, text)));
    this.root = el('div', { class: 'scroll', 'data-empty': empty }, el('table', {}, el('thead', {}, head), this.body));
  }

  update(rows: { key: string; cells: Child[] }[]): void {
    const gone = new Set(this.rows.keys());
    for (const { key, cells } of rows) {
      gone.delete(key);
      let row = this.rows.get(key);
      if (!row) {
        row = this.heads.map(() => el('td'));
        this.rows.set(key, row);
        this.body.append(el('tr', {}, ...row));
      }
      cells.forEach((cell, index) => {
        const place = row?.[index];
        if (!place) return;
        if (typeof cell === 'string') setText(place, cell);
        else if (!place.firstChild?.isEqualNode(cell)) place.replaceChildren(cell);
      });
    }
    for (const key of gone) {
      this.rows.get(key)?.[0]?.parentElement?.remove();
      this.rows.delete(key);
    }
    this.root.classList.toggle('empty', rows.length === 0);
  }
}
