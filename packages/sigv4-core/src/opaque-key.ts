const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A key that prints its rung and no bytes, however it is printed. Each kind keeps its bytes in a private field. */
export abstract class OpaqueKey<R extends string> {
  readonly rung: R;

  protected constructor(rung: R) {
    this.rung = rung;
  }

  toString(): string {
    return `[${this.rung}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return this.toString();
  }
}
