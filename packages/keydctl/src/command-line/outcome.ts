import type picocolors from 'picocolors';

/** Colours, or none: words come out unchanged where there is no terminal. */
export type Paint = ReturnType<typeof picocolors.createColors>;

/** What a command found or did: a document for programs, and the same in words and tables for eyes. */
export interface Outcome {
  /** Printed by `--json`, as one document. */
  readonly document: object;
  readonly text: (paint: Paint) => string;
  /** Something is left to do, as the text says: the exit code is that of a failure. */
  readonly isUnfinished?: boolean;
}
