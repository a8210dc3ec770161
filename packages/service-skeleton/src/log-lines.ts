import { destination, type DestinationStream } from 'pino';

/** Lines of the log that somebody waits for before they go on. */
export interface AwaitedLines {
  /** Calls `then`, which must not throw, once the lines that `log` logs are written. */
  gather(log: () => void, then: () => void): void;
}

/**
 * The lines of a log on their way out of the process. A line is written when the call that logs it returns. Those that
 * somebody waits for are written at the end of the turn of the event loop, all with one system call, and only then does
 * anybody go on: so what goes on behind a line is never seen without it, and many lines cost what one does.
 */
export class LogLines implements DestinationStream, AwaitedLines {
  readonly #destination: DestinationStream;
  #gathered = '';
  #waiting: (() => void)[] = [];
  #isGathering = false;

  constructor(to: DestinationStream) {
    this.#destination = to;
  }

  /** With what was gathered before it: lines keep their order. */
  write(line: string): void {
    this.#gathered += line;
    if (!this.#isGathering) this.flush();
  }

  gather(log: () => void, then: () => void): void {
    this.#isGathering = true;
    try {
      log();
    } finally {
      this.#isGathering = false;
    }
    if (this.#waiting.push(then) === 1) setImmediate(() => this.#endTurn());
  }

  /** Writes what was gathered by now. */
  flush(): void {
    const lines = this.#gathered;
    this.#gathered = '';
    if (lines !== '') this.#destination.write(lines);
  }

  /** Where lines cannot be written, this throws, and nobody goes on. */
  #endTurn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.flush();
    for (const then of waiting) then();
  }
}

/** Of a log that writes each line at once. */
export const WRITTEN_AT_ONCE: AwaitedLines = {
  gather(log, then) {
    log();
    then();
  },
};

const STANDARD_OUTPUT = 1;

/** Writes when it is told to, past the streams of Node.js, which take longer than the write itself. */
export function standardOutput(): DestinationStream {
  return destination({ fd: STANDARD_OUTPUT, sync: true });
}

/** The lines of this process, on standard output. What is left is written when the process exits. */
export function linesOfProcess(): LogLines {
  const lines = new LogLines(standardOutput());
  process.once('exit', () => lines.flush());
  return lines;
}
