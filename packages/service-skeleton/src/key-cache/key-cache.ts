import type { Cancel, Clock, FeedMark } from '@sigv4-keyd/hop-protocol';
import { privateFolder } from '../durable-files.js';
import type { Logger } from '../logging.js';
import { CacheFile, type Sealing } from './cache-file.js';
import { dayFile, USES_FILE } from './cache-folder.js';
import type { CacheSecret } from './cache-secret.js';
import { CacheTrouble } from './cache-trouble.js';
import { contentsOf } from './file-contents.js';
import { keyRecordForm, type KeyRecord } from './key-record.js';
import type { KeysInMemory } from './keys-in-memory.js';
import { OlderSecrets } from './older-secrets.js';
import type { RecordForm } from './record-blocks.js';
import { restoreCache, type RestoredFile } from './restore-cache.js';
import { SealedFile } from './sealed-file.js';

export interface KeyCacheOptions {
  /** Made when it is not there. No other process writes to it. */
  readonly folder: string;
  /** The path of the hop that the keys come by. */
  readonly keys: string;
  /** The length of each key. */
  readonly keyBytes: number;
  readonly held: KeysInMemory;
  readonly secret: CacheSecret;
  /** How far the feed has come as a restart would find it; undefined: a restart would find nothing of it. */
  readonly savedFeed: () => FeedMark | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface KeyCacheStatus {
  /** On disk. */
  readonly bytes: number;
  /** Epoch milliseconds since when a restart finds all that was held then. */
  readonly savedAt: number | undefined;
  /** Whether memory has more than the disk. */
  readonly isBehind: boolean;
  readonly failure: string | undefined;
}

/** What has changed is written after this long, together with what changes meanwhile, milliseconds. */
const WRITE_AFTER_MS = 1_000;
/** After a failure, milliseconds. */
const RETRY_AFTER_MS = 30_000;

/**
 * Keeps the keys of a tier on disk, sealed, so that a restart finds them without anyone above. Memory is the truth and
 * waits for nothing here; the disk follows it by about a second, at once where keys must go.
 */
export class KeyCache {
  readonly #options: KeyCacheOptions;
  readonly #form: RecordForm<KeyRecord>;
  readonly #older: OlderSecrets;
  readonly #files = new Map<string, CacheFile>();
  readonly #unsubscribe: Cancel;
  readonly #trouble: CacheTrouble;
  #secret: CacheSecret;
  /** Whether the secrets of former private keys are needed by some file, and are on disk. */
  #handover: 'none' | 'to-place' | 'placed';
  #writing: Promise<void> | undefined;
  #cancelLater: Cancel | undefined;
  #savedAt: number | undefined;

  private constructor(options: KeyCacheOptions, older: OlderSecrets, files: readonly RestoredFile[]) {
    this.#options = options;
    this.#form = keyRecordForm(options.keyBytes);
    this.#older = older;
    this.#trouble = new CacheTrouble(options.log);
    this.#secret = options.secret;
    this.#handover = older.all.length > 0 ? 'placed' : 'none';
    for (const { file, isStale } of files) this.#files.set(file.name, new CacheFile(file, isStale));
    this.#unsubscribe = options.held.subscribe({
      onHeld: (date, accessKeyId) => this.#changed(this.#fileOf(dayFile(date)), accessKeyId),
      onUsed: (accessKeyId) => this.#changed(this.#fileOf(USES_FILE), accessKeyId),
      onWiped: (date) => this.#dropped(dayFile(date)),
      onExpired: (date) => this.#dropped(dayFile(date)),
    });
  }

  /** Puts back into memory what an earlier process kept and the feed does not deny. */
  static async open(options: KeyCacheOptions): Promise<KeyCache> {
    const { folder, keys, keyBytes, savedFeed } = options;
    const older = new OlderSecrets(folder, keys);
    const files = await restoreCache({ ...options, form: keyRecordForm(keyBytes), older, feed: savedFeed() });
    const cache = new KeyCache(options, older, files);
    if (cache.#isBehind) await cache.#write();
    return cache;
  }

  /** The identity has another private key: everything is written anew under its secret, at once. */
  async handOver(secret: CacheSecret): Promise<void> {
    if (secret.name === this.#secret.name) return;
    this.#options.log.info(
      { event: 'key-cache-new-secret' },
      'the private key is a new one: the key cache is sealed anew',
    );
    this.#older.add(this.#secret);
    this.#secret = secret;
    this.#handover = 'to-place';
    for (const file of this.#files.values()) file.makeStale();
    await this.#writing;
    await this.#write();
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.#cancelLater?.();
    await this.#writing;
    await this.#write();
    this.#cancelLater?.();
  }

  warnings(): readonly string[] {
    return this.#trouble.warnings();
  }

  status(): KeyCacheStatus {
    const bytes = [...this.#files.values()].reduce((sum, file) => sum + file.bytes, 0);
    const isBehind = this.#isBehind || this.#writing !== undefined;
    return { bytes, savedAt: this.#savedAt, isBehind, failure: this.#trouble.failure };
  }

  get #isBehind(): boolean {
    return this.#handover !== 'none' || [...this.#files.values()].some((file) => file.isBehind);
  }

  #changed(file: CacheFile, accessKeyId: string): void {
    file.changed(accessKeyId);
    if (file.isPressing && this.#trouble.failure === undefined) void this.#write();
    else this.#writeLater(WRITE_AFTER_MS);
  }

  #dropped(name: string): void {
    const file = this.#files.get(name);
    if (file === undefined) return;
    file.drop();
    void this.#write();
  }

  #fileOf(name: string): CacheFile {
    const known = this.#files.get(name);
    if (known) return known;
    const file = new CacheFile(new SealedFile(this.#options.folder, this.#options.keys, name));
    this.#files.set(name, file);
    return file;
  }

  #writeLater(ms: number): void {
    this.#cancelLater ??= this.#options.clock.after(ms, () => {
      this.#cancelLater = undefined;
      void this.#write();
    });
  }

  /** Never rejects: what cannot be written is told once, and tried again later. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      while (await this.#writeOnce());
      this.#trouble.worked();
      if (this.#isBehind) this.#writeLater(WRITE_AFTER_MS);
    } catch (error) {
      this.#trouble.failed(error);
      this.#writeLater(RETRY_AFTER_MS);
    }
  }

  /** Returns whether something cannot wait that came up meanwhile. Rejects with the first error of the disk. */
  async #writeOnce(): Promise<boolean> {
    const { folder, savedFeed, clock } = this.#options;
    const feed = savedFeed();
    // Without the feed, a restart would have nothing to hold against a key. Then no file is there, either.
    if (feed === undefined) return false;
    await privateFolder(folder);
    const sealing = { secret: this.#secret, head: { at: clock.now(), feed } };
    const failures: unknown[] = [];
    // One file that cannot be written keeps no other from it, least of all one that must lose keys.
    const attempt = (work: Promise<void>): Promise<unknown> => work.catch((error: unknown) => failures.push(error));
    if (this.#handover === 'to-place') await attempt(this.#placeOlder(sealing));
    for (const [name, file] of this.#files) await attempt(this.#writeFile(name, file, sealing));
    if (failures.length > 0) throw failures[0];
    this.#savedAt = sealing.head.at;
    const files = [...this.#files.values()];
    if (this.#handover === 'placed' && !files.some(({ isStale }) => isStale)) await this.#forgetOlder();
    return files.some(({ isPressing }) => isPressing);
  }

  async #writeFile(name: string, file: CacheFile, sealing: Sealing): Promise<void> {
    if (file.isBehind) await file.write(contentsOf(name, this.#options.held, this.#form), sealing);
    // There is a newer secret by now.
    if (this.#secret !== sealing.secret) file.makeStale();
    if (file.bytes === 0 && !file.isBehind) this.#files.delete(name);
  }

  async #placeOlder({ secret, head }: Sealing): Promise<void> {
    // Said first: a still newer secret that comes meanwhile says that there is more to place.
    this.#handover = 'placed';
    try {
      await this.#older.place(secret, head);
    } catch (error) {
      this.#handover = 'to-place';
      throw error;
    }
  }

  async #forgetOlder(): Promise<void> {
    await this.#older.forget();
    if (this.#handover === 'placed') this.#handover = 'none';
  }
}
