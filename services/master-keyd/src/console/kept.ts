/** What takes long to read is read by one asker at a time, and kept for a while for the others. */
export class Kept<Value> {
  readonly #read: () => Promise<Value>;
  readonly #forMs: number;
  readonly #now: () => number;
  #value: Promise<Value> | undefined;
  #readAt = 0;

  constructor(read: () => Promise<Value>, { forMs, now }: { readonly forMs: number; readonly now: () => number }) {
    this.#read = read;
    this.#forMs = forMs;
    this.#now = now;
  }

  /** At most `forMs` old, counted from when it began to be read. A failure is not kept. */
  get(): Promise<Value> {
    const age = this.#now() - this.#readAt;
    if (this.#value !== undefined && age >= 0 && age < this.#forMs) return this.#value;
    const value = this.#read();
    this.#value = value;
    this.#readAt = this.#now();
    value.catch(() => {
      if (this.#value === value) this.#value = undefined;
    });
    return value;
  }
}
