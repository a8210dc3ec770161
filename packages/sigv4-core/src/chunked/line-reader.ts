const LF = 0x0a;
const LINE_END_BYTES = 2;

/** What a LineReader made of some bytes. */
export interface LineTaken {
  /** Where in the part the rest begins. */
  readonly next: number;
  /** The line without its line end, latin1; undefined when it goes on in the next part. */
  readonly line?: string;
  /** Too long, or not ended by CRLF: nothing behind it can be trusted to be a line. */
  readonly isBroken?: true;
}

/** Collects one line after the other, each up to its CRLF, from parts of any cut. */
export class LineReader {
  #collected = '';

  /** Reads on in `part`; `longest` is in bytes and does not count the line end. */
  take(part: Buffer, from: number, longest: number): LineTaken {
    const limit = Math.min(part.length, from + longest + LINE_END_BYTES - this.#collected.length);
    let next = from;
    let isWhole = false;
    while (next < limit && !isWhole) {
      isWhole = part[next] === LF;
      next += 1;
    }
    this.#collected += part.toString('latin1', from, next);
    if (!isWhole) return this.#collected.length < longest + LINE_END_BYTES ? { next } : { next, isBroken: true };
    const line = this.#collected;
    this.#collected = '';
    return line.endsWith('\r\n') ? { next, line: line.slice(0, -LINE_END_BYTES) } : { next, isBroken: true };
  }
}
