/** Reads a body that comes in chunks of any size as pieces of the sizes that are asked for. */
export class FilledBytes {
  readonly #chunks: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Buffer>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** Fills `target` and returns how many bytes that were: fewer than it holds only where the body is over. */
  async fill(target: Buffer): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#chunk.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) return filled;
        this.#chunk = next.value;
      }
      const taken = this.#chunk.copy(target, filled);
      this.#chunk = this.#chunk.subarray(taken);
      filled += taken;
    }
    return filled;
  }

  /** Lets go of the body, read to its end or not. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
