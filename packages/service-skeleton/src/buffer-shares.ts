import type { BufferFile } from './buffer-file.js';

/**
 * What each owner has in a buffer that many fill. Nobody may have more there than there is room left: one alone gets a
 * half, of two each a third, and whoever comes next always finds room.
 */
export class BufferShares {
  readonly #bytes = new Map<string, number>();
  /** A file that an earlier process left is in none of them: its room is nobody's, and free for nobody. */
  readonly #ofFiles = new Map<BufferFile, ReadonlyMap<string, number>>();

  /** Whether the owner has as much as it may, with so many bytes free. */
  isUsedUp(owner: string, free: number): boolean {
    const own = this.#bytes.get(owner) ?? 0;
    return own > 0 && own >= free;
  }

  /** The room that a file takes is taken by the owners of its content, each in proportion. */
  add(file: BufferFile, contentBytes: number, ofOwners: ReadonlyMap<string, number>): void {
    const taken = new Map([...ofOwners].map(([owner, own]) => [owner, Math.ceil((file.bytes * own) / contentBytes)]));
    this.#ofFiles.set(file, taken);
    for (const [owner, bytes] of taken) this.#bytes.set(owner, (this.#bytes.get(owner) ?? 0) + bytes);
  }

  remove(file: BufferFile): void {
    for (const [owner, bytes] of this.#ofFiles.get(file) ?? []) {
      const left = (this.#bytes.get(owner) ?? 0) - bytes;
      if (left > 0) this.#bytes.set(owner, left);
      else this.#bytes.delete(owner);
    }
    this.#ofFiles.delete(file);
  }
}
