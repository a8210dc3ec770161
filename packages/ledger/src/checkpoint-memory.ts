import { parseCheckpoint, type Checkpoint, type OpenedCheckpoint } from './checkpoint/checkpoint.js';
import { parseNote } from './checkpoint/signed-note.js';
import { LedgerError } from './ledger-error.js';
import { verifyConsistency } from './merkle/consistency.js';
import { sameHash, type MerkleHash } from './merkle/merkle-hash.js';

/** What a checkpoint meant to the memory. */
export type Acceptance = 'first' | 'unchanged' | 'advanced';

interface Remembered extends Checkpoint {
  readonly note: string;
}

/**
 * The newest checkpoint that a peer saw of one log. It takes the first on trust and then only goes forwards: whoever
 * rolls the log back, rewrites it or shows this peer another one than before is refused.
 */
export class CheckpointMemory {
  readonly #origin: string;
  #newest: Remembered | undefined;

  /** A memory that has seen nothing of the log of this origin. */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Undefined until a first checkpoint was accepted. `note` is the signed evidence of it. */
  get newest(): (Checkpoint & { readonly note: string }) | undefined {
    return this.#newest;
  }

  /**
   * Takes a checkpoint that a consistency proof joins to the newest one; the proof is empty for the first one, for a
   * known one, and from an empty log on. Throws LedgerError and remembers what it had: `wrong-origin`,
   * `checkpoint-backwards`, `checkpoint-fork`, or what `verifyConsistency` throws.
   */
  accept(checkpoint: OpenedCheckpoint, proof: readonly MerkleHash[]): Acceptance {
    if (checkpoint.origin !== this.#origin) throw new LedgerError('wrong-origin');
    const newest = this.#newest;
    if (newest !== undefined && checkpoint.size < newest.size) {
      throw new LedgerError('checkpoint-backwards', `${checkpoint.size} leaves after ${newest.size}`);
    }
    if (newest?.size === checkpoint.size && !sameHash(newest.root, checkpoint.root)) {
      throw new LedgerError('checkpoint-fork', `at ${newest.size} leaves`);
    }
    if (newest !== undefined) verifyConsistency(newest, checkpoint, proof);
    else if (proof.length > 0) throw new LedgerError('proof-length', 'there is nothing to be consistent with');
    if (newest?.size === checkpoint.size) return 'unchanged';
    this.#newest = checkpoint;
    return newest === undefined ? 'first' : 'advanced';
  }

  /** What to keep over a restart: the signed note of the newest checkpoint, or nothing yet. Holds no secret. */
  serialise(): string {
    return this.#newest?.note ?? '';
  }

  /**
   * Goes on from what `serialise` gave. The signature is not verified again, for the key may have been rotated since:
   * keep the text where only this peer writes. Throws LedgerError `malformed-memory` or `wrong-origin`.
   */
  static restore(origin: string, text: string): CheckpointMemory {
    const memory = new CheckpointMemory(origin);
    if (text === '') return memory;
    const newest = remembered(text);
    if (newest.origin !== origin) throw new LedgerError('wrong-origin');
    memory.#newest = newest;
    return memory;
  }
}

function remembered(note: string): Remembered {
  try {
    return { ...parseCheckpoint(parseNote(note).text), note };
  } catch (cause) {
    throw new LedgerError('malformed-memory', undefined, { cause });
  }
}
