/**
 * Notes the largest buffer that is asked for, so that a length which an input merely claims cannot cost memory unseen.
 * Replaces Buffer's own allocators: for the processes of the fuzzer alone.
 */
export class Allocations {
  #largest = 0;

  constructor() {
    const alloc = Buffer.alloc.bind(Buffer);
    const allocUnsafe = Buffer.allocUnsafe.bind(Buffer);
    const allocUnsafeSlow = Buffer.allocUnsafeSlow.bind(Buffer);
    Buffer.alloc = (size, ...fill: [fill?: string | number | Uint8Array, encoding?: BufferEncoding]) =>
      alloc(this.#noted(size), ...fill);
    Buffer.allocUnsafe = (size) => allocUnsafe(this.#noted(size));
    Buffer.allocUnsafeSlow = (size) => allocUnsafeSlow(this.#noted(size));
  }

  /** Bytes, since the last reset. */
  get largest(): number {
    return this.#largest;
  }

  reset(): void {
    this.#largest = 0;
  }

  #noted(size: number): number {
    this.#largest = Math.max(this.#largest, size);
    return size;
  }
}
