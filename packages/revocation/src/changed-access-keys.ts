import { supersedes, type AccessKeyChange } from './access-key-change.js';
import type { SignedPage } from './access-key-page.js';
import type { DocumentDigest } from './signed-document.js';

/** What a verifier asks on every request. */
export interface AccessKeyLookup {
  /** The last known change of an access key; undefined: none that can still matter. */
  get(accessKeyId: string): AccessKeyChange | undefined;
}

/** The change that counts, and the page that it is known from. */
interface Winner {
  readonly change: AccessKeyChange;
  readonly page: DocumentDigest;
}

type Winners = ReadonlyMap<string, Winner>;

/** A hundred thousand winners are not copied for each change: new ones lie apart until there are so many. */
const MOST_RECENT = 4_096;

/**
 * Of every access key the change that counts, from any number of pages: never changed after it was made, and the same
 * whatever the order of the pages and however often they come.
 */
export class ChangedAccessKeys implements AccessKeyLookup {
  static readonly none = new ChangedAccessKeys(new Map(), new Map(), new Map(), 0);

  readonly #settled: Winners;
  /** Count in place of the settled ones. */
  readonly #recent: Winners;
  /** Of how many access keys a page is the one that the change is known from. */
  readonly #wins: ReadonlyMap<DocumentDigest, number>;
  /** Access keys of which a change is known. */
  readonly size: number;

  private constructor(settled: Winners, recent: Winners, wins: ReadonlyMap<DocumentDigest, number>, size: number) {
    this.#settled = settled;
    this.#recent = recent;
    this.#wins = wins;
    this.size = size;
  }

  static of(pages: Iterable<SignedPage>): ChangedAccessKeys {
    return ChangedAccessKeys.none.with(pages);
  }

  /** With further pages. What a page says that is known already is known from that page then: the older can go. */
  with(pages: Iterable<SignedPage>): ChangedAccessKeys {
    const recent = new Map(this.#recent);
    const wins = new Map(this.#wins);
    let size = this.size;
    for (const { page, digest } of pages) {
      for (const change of page.changes) {
        const before = recent.get(change.accessKeyId) ?? this.#settled.get(change.accessKeyId);
        if (before !== undefined && supersedes(before.change, change)) continue;
        if (before === undefined) size += 1;
        else wins.set(before.page, (wins.get(before.page) ?? 0) - 1);
        wins.set(digest, (wins.get(digest) ?? 0) + 1);
        recent.set(change.accessKeyId, { change, page: digest });
      }
    }
    if (recent.size <= MOST_RECENT) return new ChangedAccessKeys(this.#settled, recent, wins, size);
    return new ChangedAccessKeys(new Map([...this.#settled, ...recent]), new Map(), wins, size);
  }

  get(accessKeyId: string): AccessKeyChange | undefined {
    return (this.#recent.get(accessKeyId) ?? this.#settled.get(accessKeyId))?.change;
  }

  /** Whether anything would be other without this page: all that the others say is said by newer ones, too. */
  needs(page: DocumentDigest): boolean {
    return (this.#wins.get(page) ?? 0) > 0;
  }

  /** What counts here and did not there, of what these pages say: changes that are in force from now on. */
  newSince(before: ChangedAccessKeys, pages: Iterable<SignedPage>): readonly AccessKeyChange[] {
    const fresh = new Map<string, AccessKeyChange>();
    for (const { page } of pages) {
      for (const { accessKeyId } of page.changes) {
        const change = this.get(accessKeyId);
        const known = before.get(accessKeyId);
        if (change && (known === undefined || supersedes(change, known))) fresh.set(accessKeyId, change);
      }
    }
    return [...fresh.values()];
  }
}
