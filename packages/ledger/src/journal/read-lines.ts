import type { FileHandle } from 'node:fs/promises';

/** A line of a file with where it stands. Only the last one of a file may lack its line break. */
export interface FileLine {
  readonly text: string;
  readonly offset: number;
  /** Where the next line begins. */
  readonly end: number;
  readonly complete: boolean;
}

const CHUNK_BYTES = 65_536;
const LINE_BREAK = 0x0a;

/**
 * The lines of a file between two byte offsets. node:readline hides both the offsets and whether the last line was
 * finished, which is all that tells a torn write from a whole one. A line of more than `longest` bytes ends the
 * reading as an incomplete one.
 */
export async function* readLines(
  handle: FileHandle,
  { from, until, longest }: { readonly from: number; readonly until: number; readonly longest: number },
): AsyncGenerator<FileLine> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let offset = from;
  while (pendingBytes <= longest) {
    const at = offset + pendingBytes;
    const { bytesRead } = await handle.read(chunk, 0, Math.min(CHUNK_BYTES, until - at), at);
    if (bytesRead === 0) break;
    let rest = chunk.subarray(0, bytesRead);
    for (let length = rest.indexOf(LINE_BREAK); length >= 0; length = rest.indexOf(LINE_BREAK)) {
      const line = Buffer.concat([...pending, rest.subarray(0, length)]);
      yield { text: line.toString(), offset, end: offset + line.length + 1, complete: true };
      offset += line.length + 1;
      rest = rest.subarray(length + 1);
      pending = [];
      pendingBytes = 0;
    }
    // A copy: the chunk is read into again.
    pending.push(Buffer.from(rest));
    pendingBytes += rest.length;
  }
  if (pendingBytes > 0) {
    yield { text: Buffer.concat(pending).toString(), offset, end: offset + pendingBytes, complete: false };
  }
}
