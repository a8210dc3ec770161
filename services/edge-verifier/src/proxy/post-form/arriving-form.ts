import { PayloadRefused } from '@sigv4-keyd/payload-streams';
import { checkFileLength, refuse, type FileLength, type PostForm, type Refused } from '@sigv4-keyd/sigv4-core';
import { FormReader } from './form-reader.js';

/** A form as it arrives: first its fields, then all of its bytes as they came. Every method throws a PayloadRefused. */
export class ArrivingForm {
  readonly #parts: AsyncGenerator<Buffer, void, undefined>;
  readonly #reader: FormReader;
  readonly #arrived: Buffer[] = [];

  constructor(parts: AsyncGenerator<Buffer, void, undefined>, boundary: string) {
    this.#parts = parts;
    this.#reader = new FormReader(boundary);
  }

  /** Reads up to the content of the file, and hardly further. */
  async fields(): Promise<PostForm> {
    while (this.#reader.form === undefined) {
      const { done, value } = await this.#parts.next();
      if (done) throw new PayloadRefused(this.#reader.end() ?? refuse('malformed-form'));
      throwIf(this.#reader.push(value));
      this.#arrived.push(value);
    }
    return this.#reader.form;
  }

  /** The whole form, to be read once, after its fields. Ends in an error unless the file has this length. */
  async *bytes(fileLength: FileLength): AsyncGenerator<Buffer, void, undefined> {
    this.#checkLength(fileLength, false);
    yield* this.#arrived.splice(0);
    for await (const part of this.#parts) {
      throwIf(this.#reader.push(part));
      this.#checkLength(fileLength, false);
      yield part;
    }
    throwIf(this.#reader.end());
    this.#checkLength(fileLength, true);
  }

  /** Reads no further; to be called whatever happened. */
  async close(): Promise<void> {
    await this.#parts.return();
  }

  #checkLength(allowed: FileLength, isWhole: boolean): void {
    throwIf(checkFileLength(this.#reader.fileLength, allowed, { isWhole }));
  }
}

function throwIf(refused: Refused | undefined): void {
  if (refused) throw new PayloadRefused(refused);
}
