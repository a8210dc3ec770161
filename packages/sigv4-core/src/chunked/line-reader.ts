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
    const room = longest + LINE_END_BYTES - this.#collected.length;
    const seen = part.subarray(from, from + room);
    const lineFeed = seen.indexOf(LF);
    const text = seen.subarray(0, lineFeed < 0 ? seen.length : lineFeed + 1).toString('latin1');
    this.#collected += text;
    const next = from + text.length;
    if (lineFeed < 0) return text.length < room ? { next } : { next, isBroken: true };
    const line = this.#collected;
    this.#collected = '';
    return line.endsWith('\r\n') ? { next, line: line.slice(0, -LINE_END_BYTES) } : { next, isBroken: true };
  }
}
