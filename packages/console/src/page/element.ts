type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
export type Child = Node | string | undefined;

/** Makes an element. Text only ever becomes text: nothing here parses markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(attribute, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** An element of index.html. */
export function part<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`index.html has lost #${id}`);
}

/**
 * Draws a part anew, unless it says the same as before. Whoever stands on one of its buttons with the keyboard stays on
 * the button of the same id.
 */
export function redraw(container: Element, fresh: Element): void {
  if (container.firstElementChild?.isEqualNode(fresh) === true) return;
  const focused = container.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const scrolled = container.querySelector('.scroller')?.scrollLeft ?? 0;
  container.replaceChildren(fresh);
  const scroller = fresh.querySelector('.scroller');
  if (scroller) scroller.scrollLeft = scrolled;
  if (focused !== undefined && focused !== '') document.getElementById(focused)?.focus();
}

export function cells(name: 'td' | 'th', ...texts: readonly Child[]): HTMLTableCellElement[] {
  return texts.map((text) => element(name, name === 'th' ? { scope: 'col' } : {}, text));
}
