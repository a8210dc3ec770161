import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** A piece of a dump is read at a time, bytes. */
const PIECE = 4 * 1024 * 1024;

interface Mapping {
  readonly from: number;
  readonly to: number;
}

/** Whether this process may read the memory of another one that it started. */
export function canReadMemoryOf(pid: number): boolean {
  try {
    closeSync(openSync(`/proc/${pid}/mem`, 'r'));
    return true;
  } catch {
    return false;
  }
}

/**
 * What a dump of the process would have in it: all memory of its own, in pieces that share `overlap` bytes. A piece is
 * good until the next one is asked for. The process stands still meanwhile, so that nothing moves past the reader.
 */
export function* memoryOf(pid: number, overlap: number): Generator<Buffer, void, undefined> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  process.kill(pid, 'SIGSTOP');
  try {
    const buffer = Buffer.alloc(PIECE);
    for (const { from, to } of ownMappings(pid)) {
      for (let at = from; at < to; at += PIECE - overlap) {
        const read = readOrNothing(memory, buffer, { at, length: Math.min(PIECE, to - at) });
        if (read > 0) yield buffer.subarray(0, read);
      }
    }
  } finally {
    process.kill(pid, 'SIGCONT');
    closeSync(memory);
  }
}

/** What is readable and not a file's unchanged content: heaps, stacks, and what programs and libraries write to. */
function ownMappings(pid: number): readonly Mapping[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const [range = '', mode = '', , , inode = '', name = ''] = line.split(/\s+/);
    const isFile = inode !== '0' && !mode.includes('w');
    if (!mode.startsWith('r') || isFile || name.startsWith('[v')) return [];
    const [from = 0, to = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
    return [{ from, to }];
  });
}

/** A mapping that is no memory (a device's, a guard page) cannot be read, and no dump has it. */
function readOrNothing(memory: number, buffer: Buffer, { at, length }: { at: number; length: number }): number {
  try {
    return readSync(memory, buffer, 0, length, at);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return 0;
    throw error;
  }
}
