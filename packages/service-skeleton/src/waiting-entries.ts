import { BufferFull } from './buffer-full.js';

interface Waiting<Entry> {
  readonly entry: Entry;
  /** Takes the place of what is about to leave the buffer: it always finds room. */
  readonly isInPlace: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Entries that go into one file. */
export interface EntryGroup {
  /** One line each; empty when all were refused. */
  readonly content: string;
  readonly bytes: number;
  /** Whether it finds room in a full buffer, too. */
  readonly isInPlace: boolean;
  /** How much of the content each owner has, bytes. */
  readonly ofOwners: ReadonlyMap<string, number>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The longest content of one file, characters; an entry is never split. */
const MOST_CHARACTERS = 1_000_000;

/** Entries that were put into a buffer and have no outcome yet. */
export class WaitingEntries<Entry> {
  readonly #ownerOf: ((entry: Entry) => string) | undefined;
  readonly #waiting: Waiting<Entry>[] = [];

  constructor(ownerOf: ((entry: Entry) => string) | undefined) {
    this.#ownerOf = ownerOf;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(entry: Entry, isInPlace: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, isInPlace, resolve, reject });
    });
  }

  /** The next ones, at most so many together. Those of owners who have used up their share are refused. */
  takeGroup(most: number, isShareUsedUp: (owner: string) => boolean): EntryGroup {
    const group: Waiting<Entry>[] = [];
    const ofOwners = new Map<string, number>();
    let content = '';
    for (let next = this.#waiting[0]; next && group.length < most; next = this.#waiting[0]) {
      const line = `${JSON.stringify(next.entry)}\n`;
      if (group.length > 0 && content.length + line.length > MOST_CHARACTERS) break;
      this.#waiting.shift();
      const owner = this.#ownerOf?.(next.entry);
      if (owner !== undefined && !next.isInPlace && isShareUsedUp(owner)) {
        next.reject(new BufferFull('as much of this owner waits as there is room left'));
        continue;
      }
      if (owner !== undefined) ofOwners.set(owner, (ofOwners.get(owner) ?? 0) + Buffer.byteLength(line));
      group.push(next);
      content += line;
    }
    return {
      content,
      bytes: Buffer.byteLength(content),
      isInPlace: group.every(({ isInPlace }) => isInPlace),
      ofOwners,
      resolve: () => group.forEach(({ resolve }) => resolve()),
      reject: (error) => group.forEach(({ reject }) => reject(error)),
    };
  }
}
