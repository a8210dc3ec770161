import { refuse, type ChecksumHeader, type Refused } from '@sigv4-keyd/sigv4-core';
import { CHECKSUMS, type RunningChecksum } from './checksum.js';

/** Checksums as they were sent, by header or trailer. */
export type Checksums = ReadonlyMap<ChecksumHeader, Buffer>;

/** Takes the checksums of a body while it passes, and compares them with those that were sent. */
export class ChecksumCheck {
  readonly #running: ReadonlyMap<ChecksumHeader, RunningChecksum>;

  constructor(names: Iterable<ChecksumHeader>) {
    this.#running = new Map([...new Set(names)].map((name) => [name, CHECKSUMS[name]()]));
  }

  update(data: Uint8Array): void {
    for (const checksum of this.#running.values()) checksum.update(data);
  }

  /** To be asked once. A name that was not given to the constructor counts as a mismatch. */
  async compare(sent: readonly Checksums[]): Promise<Refused | undefined> {
    const found = new Map<ChecksumHeader, Buffer>();
    for (const [name, checksum] of this.#running) found.set(name, await checksum.digest());
    for (const [name, expected] of sent.flatMap((checksums) => [...checksums])) {
      if (!found.get(name)?.equals(expected)) return refuse('checksum-mismatch', name);
    }
    return undefined;
  }
}
