import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PayloadError } from './payload-error.js';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;

/**
 * A body on disk while its hash is not known yet. The file loses its name before the first byte is written: nobody else
 * can open it, and the system frees it with the descriptor, whatever ends the process. Rejects with a PayloadError.
 */
export class PayloadSpool {
  readonly #file: FileHandle;
  #reading: Readable | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(folder: string): Promise<PayloadSpool> {
    const path = join(folder, `edge-verifier-${randomUUID()}.body`);
    try {
      const file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        await unlink(path);
      } catch (error) {
        await file.close();
        throw error;
      }
      return new PayloadSpool(file);
    } catch (error) {
      throw new PayloadError('spool-unavailable', error);
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    try {
      await this.#file.appendFile(chunk);
    } catch (error) {
      throw new PayloadError('spool-unavailable', error);
    }
  }

  /** The bytes from the first one on; once. */
  read(): Readable {
    this.#reading = this.#file.createReadStream({ start: 0 });
    return this.#reading;
  }

  async close(): Promise<void> {
    // A stream that was not read to its end would keep the file open.
    this.#reading?.destroy();
    await this.#file.close();
  }
}
