import { MOST_KEYS_A_REQUEST } from '@sigv4-keyd/hop-protocol';

interface Page {
  readonly last: string;
  /** Ids, each but the first after a line break. */
  readonly text: Buffer;
}

/** Very many access key ids in ascending order, as they came: text in few buffers, no object an id. */
export class IdRoll {
  readonly #pages: Page[] = [];

  /** `ids` go on from the last ones: ascending, none twice. */
  append(ids: readonly string[]): void {
    const last = ids.at(-1);
    if (last !== undefined) this.#pages.push({ last, text: Buffer.from(ids.join('\n'), 'latin1') });
  }

  /** The next ids after this one, as many as fit into one record; empty when there are none yet. */
  after(id: string | undefined): readonly string[] {
    const page = this.#pages[this.#numberOfPageAfter(id ?? '')];
    if (!page) return [];
    const ids = page.text.toString('latin1').split('\n');
    const from = id === undefined ? 0 : ids.findIndex((other) => other > id);
    return ids.slice(from, from + MOST_KEYS_A_REQUEST);
  }

  clear(): void {
    this.#pages.length = 0;
  }

  #numberOfPageAfter(id: string): number {
    let from = 0;
    let to = this.#pages.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const page = this.#pages[middle];
      if (page && page.last > id) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}
