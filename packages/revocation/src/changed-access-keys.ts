import { supersedes, type AccessKeyChange } from './access-key-change.js';
import type { SignedPage } from './access-key-page.js';
import type { DocumentDigest } from './signed-document.js';

/** What a verifier asks on every request. */
export interface AccessKeyLookup {
  /** The last known change of an access key; undefined: none that can still matter. */
  get(accessKeyId: string): AccessKeyChange | undefined;
}

interface Winner {
  readonly change: AccessKeyChange;
  readonly page: DocumentDigest;
}

/**
 * Of every access key the change that counts, from any number of pages: never changed after it was made, and the same
 * whatever the order of the pages and however often they come.
 */
export class ChangedAccessKeys implements AccessKeyLookup {
  readonly #winners = new Map<string, Winner>();
  readonly #needed = new Set<DocumentDigest>();
  readonly #pages: ReadonlySet<DocumentDigest>;

  private constructor(pages: readonly SignedPage[]) {
    this.#pages = new Set(pages.map(({ digest }) => digest));
    for (const { page, digest } of pages) {
      for (const change of page.changes) {
        const before = this.#winners.get(change.accessKeyId)?.change;
        if (before === undefined || supersedes(change, before)) {
          this.#winners.set(change.accessKeyId, { change, page: digest });
        }
      }
    }
    for (const { page } of this.#winners.values()) this.#needed.add(page);
  }

  /** Of two pages that say the same of an access key, the one that comes first is needed for it. */
  static of(pages: Iterable<SignedPage>): ChangedAccessKeys {
    return new ChangedAccessKeys([...pages]);
  }

  /** Access keys of which a change is known. */
  get size(): number {
    return this.#winners.size;
  }

  get(accessKeyId: string): AccessKeyChange | undefined {
    return this.#winners.get(accessKeyId)?.change;
  }

  /** Whether the page was among those that this was made of. */
  has(page: DocumentDigest): boolean {
    return this.#pages.has(page);
  }

  /** Whether anything would be other without this page: all that the others say is said by newer ones, too. */
  needs(page: DocumentDigest): boolean {
    return this.#needed.has(page);
  }

  /** What counts here and did not there: changes that are in force from now on. */
  since(before: ChangedAccessKeys): readonly AccessKeyChange[] {
    const changes: AccessKeyChange[] = [];
    if (before === this) return changes;
    for (const { change } of this.#winners.values()) {
      const known = before.get(change.accessKeyId);
      if (known === undefined || supersedes(change, known)) changes.push(change);
    }
    return changes;
  }
}
