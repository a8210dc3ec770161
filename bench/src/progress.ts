import type { WriteStream } from 'node:tty';

const EVERY_MS = 1_000;
const LINE_BEGIN = '\r\x1b[2K';

/** On a terminal, one line that says which part is being measured, and for how long. Elsewhere nothing. */
export class Progress {
  readonly #to: WriteStream;
  readonly #parts: number;
  #begun = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(to: WriteStream, parts: number) {
    this.#to = to;
    this.#parts = parts;
  }

  begin(name: string): void {
    if (!this.#to.isTTY) return;
    this.#begun += 1;
    const since = performance.now();
    const show = (): void => {
      const seconds = Math.floor((performance.now() - since) / 1000);
      this.#to.write(`${LINE_BEGIN}${name} (${this.#begun} of ${this.#parts}): ${seconds} s`);
    };
    show();
    this.#timer = setInterval(show, EVERY_MS);
  }

  end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#to.write(LINE_BEGIN);
  }
}
