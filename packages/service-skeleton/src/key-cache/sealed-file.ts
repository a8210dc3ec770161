import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../durable-files.js';
import { CacheFileError, type CacheProblem } from './cache-problem.js';
import type { CacheSecret } from './cache-secret.js';
import { readSegment } from './read-segment.js';
import type { SegmentHead } from './segment-head.js';
import { writeSegment, type RecordBlock } from './write-segment.js';

/** What a segment is to be made of. */
export interface NewSegment {
  readonly secret: CacheSecret;
  readonly head: SegmentHead;
  readonly blocks: Iterable<RecordBlock>;
}

/** The part of a file that is whole. */
interface Extent {
  readonly bytes: number;
  /** The tag that ends it. */
  readonly tag: Buffer;
  /** With those that later ones replace. */
  readonly records: number;
}

export interface FileToRead {
  readonly secrets: readonly CacheSecret[];
  /** Where to stop, bytes; by default at the end. */
  readonly upTo?: number;
  /** Throws CacheFileError for a segment that is not to be believed. */
  readonly onHead: (head: SegmentHead) => void;
  readonly onRecords?: (content: Buffer) => void;
}

/** What was found in a file; what stands before a problem is whole. */
export interface FileFindings {
  readonly problem: CacheProblem | undefined;
  /** The names of the secrets that sealed it. */
  readonly secretNames: ReadonlySet<string>;
}

const NOTHING: Extent = { bytes: 0, tag: Buffer.alloc(0), records: 0 };
export const UNFINISHED = '.unfinished';

/**
 * One file of a cache: segments that are added at its end, or all of it anew. A record is never taken out in place: it
 * is replaced by a later one of the same access key, or the file is written anew without it. So a file that was cut
 * back to an earlier state of itself holds less, and nothing that was not true once.
 */
export class SealedFile {
  readonly #folder: string;
  readonly #keys: string;
  readonly name: string;
  #whole = NOTHING;

  /** `keys`: which keys the folder is for. */
  constructor(folder: string, keys: string, name: string) {
    this.#folder = folder;
    this.#keys = keys;
    this.name = name;
  }

  /** Bytes on disk that are believed. */
  get bytes(): number {
    return this.#whole.bytes;
  }

  get records(): number {
    return this.#whole.records;
  }

  /** Reads up to the first problem. Further segments are added after what was whole. Rejects when the disk fails. */
  async read({ secrets, upTo = Infinity, ...visitors }: FileToRead): Promise<FileFindings> {
    const handle = await open(join(this.#folder, this.name), 'r');
    const secretNames = new Set<string>();
    this.#whole = NOTHING;
    try {
      while (this.#whole.bytes < upTo) {
        const { bytes, tag, records } = this.#whole;
        const place = { keys: this.#keys, file: this.name, after: tag };
        const segment = await readSegment({ handle, offset: bytes, place, secrets, ...visitors });
        if (segment === undefined) break;
        secretNames.add(segment.secretName);
        this.#whole = { bytes: segment.end, tag: segment.tag, records: records + segment.records };
      }
      return { problem: undefined, secretNames };
    } catch (error) {
      if (error instanceof CacheFileError) return { problem: error.problem, secretNames };
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** Adds a segment, durably; a file that is not there yet is made. */
  async append(segment: NewSegment): Promise<void> {
    const { bytes, tag, records } = this.#whole;
    if (bytes === 0) return this.replace(segment);
    const handle = await open(join(this.#folder, this.name), 'r+');
    try {
      // What an attempt left that failed halfway, or a crash.
      await handle.truncate(bytes);
      const place = { keys: this.#keys, file: this.name, after: tag };
      const written = await writeSegment({ handle, offset: bytes, place, ...segment });
      this.#whole = { bytes: written.end, tag: written.tag, records: records + written.records };
    } finally {
      await handle.close();
    }
  }

  /** Writes the file anew, durably: after a crash there is the old one or the new one. */
  async replace(segment: NewSegment): Promise<void> {
    const path = join(this.#folder, this.name);
    const handle = await open(path + UNFINISHED, 'w', 0o600);
    let whole: Extent;
    try {
      const place = { keys: this.#keys, file: this.name, after: NOTHING.tag };
      const written = await writeSegment({ handle, offset: 0, place, ...segment });
      whole = { bytes: written.end, tag: written.tag, records: written.records };
    } finally {
      await handle.close();
    }
    await rename(path + UNFINISHED, path);
    this.#whole = whole;
    await syncFolder(this.#folder);
  }

  async remove(): Promise<void> {
    await rm(join(this.#folder, this.name), { force: true });
    this.#whole = NOTHING;
    await syncFolder(this.#folder);
  }
}
