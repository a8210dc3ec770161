import { CacheFileError } from './cache-problem.js';
import { secretFromBytes, type CacheSecret } from './cache-secret.js';
import { OLDER_SECRETS_FILE } from './cache-folder.js';
import { blocksOf, recordsIn, type RecordForm } from './record-blocks.js';
import { SealedFile } from './sealed-file.js';
import type { SegmentHead } from './segment-head.js';

const SECRET_BYTES = 32;

const secretForm: RecordForm<CacheSecret> = {
  bytesOf: () => SECRET_BYTES,
  write({ key }, into, at) {
    const bytes = key.export();
    into.set(bytes, at);
    bytes.fill(0);
    return at + SECRET_BYTES;
  },
  read(from, at) {
    return { record: secretFromBytes(Buffer.from(from.subarray(at, at + SECRET_BYTES))), end: at + SECRET_BYTES };
  },
};

/**
 * Secrets of former private keys of this identity, sealed under the present one: for as long as files are being written
 * anew under the new secret, so that a crash in between loses neither the old files nor the new. The private keys
 * themselves are not in it, and cannot be computed from it.
 */
export class OlderSecrets {
  readonly #file: SealedFile;
  #secrets: readonly CacheSecret[] = [];

  constructor(folder: string, keys: string) {
    this.#file = new SealedFile(folder, keys, OLDER_SECRETS_FILE);
  }

  get all(): readonly CacheSecret[] {
    return this.#secrets;
  }

  /** @throws CacheFileError for a file that the present secret did not seal; the disk's errors */
  async read(present: CacheSecret): Promise<void> {
    const found: CacheSecret[] = [];
    const { problem } = await this.#file.read({
      secrets: [present],
      onHead: () => undefined,
      onRecords: (content) => found.push(...recordsIn(secretForm, content)),
    });
    if (problem !== undefined) throw new CacheFileError(problem);
    this.#secrets = found;
  }

  add(secret: CacheSecret): void {
    this.#secrets = [...this.#secrets, secret];
  }

  /** Puts them on disk, to be read by who has the present secret. */
  async place(present: CacheSecret, head: SegmentHead): Promise<void> {
    await this.#file.replace({ secret: present, head, blocks: blocksOf(secretForm, this.#secrets) });
  }

  /** No file is sealed under them any more. */
  async forget(): Promise<void> {
    const gone = this.#secrets;
    await this.#file.remove();
    // Another may have become one meanwhile.
    this.#secrets = this.#secrets.filter((secret) => !gone.includes(secret));
  }
}
