import { KEY_FORMS, type LentKey } from '@sigv4-keyd/edge-keys';
import { openKeyPage, PageOpener, PageSealer, Recipient, SealedPageWriter, sealTo } from '@sigv4-keyd/hop-protocol';
import type { Algorithm } from '@sigv4-keyd/sigv4-core';

// Keys are sealed on their way between two processes of one edge, too: the buffers of the channel are never
// overwritten, and a wiped key must not be found in them.

const PURPOSE = '/workers';
/** Room for one entry, with the longest list of services. */
const PAGE_BYTES = 32 * 1024;

type Lent = Exclude<LentKey, string>;

/** Seals keys for one worker, in the order in which they go there. */
export class KeySealer {
  /** What the worker has to know of us. */
  readonly sender: string;
  readonly #writers: Readonly<Record<Algorithm, SealedPageWriter>>;

  /** Throws KeydError for what is no public key. */
  constructor(recipient: string) {
    const { sender, key } = sealTo(recipient, PURPOSE);
    const sealer = new PageSealer(key);
    const writer = (algorithm: Algorithm): SealedPageWriter =>
      new SealedPageWriter(KEY_FORMS[algorithm].keyBytes, sealer, PAGE_BYTES);
    this.sender = sender;
    this.#writers = {
      'AWS4-HMAC-SHA256': writer('AWS4-HMAC-SHA256'),
      'AWS4-ECDSA-P256-SHA256': writer('AWS4-ECDSA-P256-SHA256'),
    };
  }

  /** Takes the key and wipes it. */
  seal(algorithm: Algorithm, lent: Lent): string {
    try {
      const writer = this.#writers[algorithm];
      const page = writer.add(lent) ? writer.take() : undefined;
      if (page === undefined) throw new RangeError('a key that does not fit');
      return page.toString('base64');
    } finally {
      lent.key.fill(0);
    }
  }
}

/** Opens them, in the same order. */
export class KeyOpener {
  readonly #opener: PageOpener;

  private constructor(opener: PageOpener) {
    this.#opener = opener;
  }

  static of(recipient: Recipient, sender: string): KeyOpener {
    const key = recipient.keyFrom(sender, PURPOSE);
    if (key === undefined) throw new TypeError('the edge has no public key');
    return new KeyOpener(new PageOpener(key));
  }

  /** The key is the caller's, who wipes it. Throws WrongStream for what was not sealed to us. */
  open(algorithm: Algorithm, accessKeyId: string, sealed: string): Lent {
    const { read, wipe } = openKeyPage(Buffer.from(sealed, 'base64'), KEY_FORMS[algorithm].keyBytes, this.#opener);
    const [lent] = read();
    if (lent?.facts.accessKeyId === accessKeyId) return lent;
    wipe();
    throw new TypeError('a key of another access key');
  }
}
