import { decodeKeyPageBeside, KeyPageWriter, type PageWriter, type StreamedKey } from '../day-stream/key-page.js';
import { MOST_FRAME_BYTES } from '../day-stream/frame.js';
import type { PageOpener, PageSealer } from './page-seal.js';

const NO_KEY = new Uint8Array();

/** Puts keys into pages as KeyPageWriter does, and seals each page when it is taken. */
export class SealedPageWriter implements PageWriter {
  readonly kind = 'sealed';
  readonly #sealer: PageSealer;
  readonly #entries: KeyPageWriter;
  readonly #keys: Buffer;
  #length = 0;

  /** `pageBytes`: of the entries of a page, and of their keys alike. */
  constructor(keyBytes: number, sealer: PageSealer, pageBytes: number = MOST_FRAME_BYTES.page) {
    this.#sealer = sealer;
    this.#entries = new KeyPageWriter(0, pageBytes);
    this.#keys = Buffer.alloc(pageBytes - (pageBytes % keyBytes));
  }

  /** False when the page has no place for it any more. */
  add({ facts, key }: StreamedKey): boolean {
    if (this.#length + key.length > this.#keys.length || !this.#entries.add({ facts, key: NO_KEY })) return false;
    this.#keys.set(key, this.#length);
    this.#length += key.length;
    return true;
  }

  /** What the page holds; the writer is empty then, and its keys overwritten. Undefined when there is nothing. */
  take(): Buffer | undefined {
    const entries = this.#entries.take();
    if (entries === undefined) return undefined;
    const keys = this.#keys.subarray(0, this.#length);
    try {
      return this.#sealer.seal(entries, keys);
    } finally {
      keys.fill(0);
      this.#length = 0;
    }
  }
}

/** A page that was proven. Reading it is as much work again, so that who reads many may do other work in between. */
export interface OpenedPage {
  /** The keys are views of one buffer. Throws WrongStream, and overwrites them then. */
  readonly read: () => readonly StreamedKey[];
  /** Overwrites the keys. */
  readonly wipe: () => void;
}

/** Opens a sealed page. Throws WrongStream. */
export function openKeyPage(page: Buffer, keyBytes: number, opener: PageOpener): OpenedPage {
  const { entries, keys } = opener.open(page);
  const wipe = (): void => void keys.fill(0);
  return {
    read() {
      try {
        return decodeKeyPageBeside(entries, keys, keyBytes);
      } catch (error) {
        wipe();
        throw error;
      }
    },
    wipe,
  };
}
