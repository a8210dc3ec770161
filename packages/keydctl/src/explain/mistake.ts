import type { Finding } from './finding.js';
import type { Case, Sketch } from './sketch.js';

/** A sketch with one mistake in it, and the mistake in words. */
export interface Variant {
  /** What it is about, `path` or `header host`: two mistakes about the same are not combined. */
  readonly about: string;
  readonly sketch: Sketch;
  readonly finding: Finding;
}

/** Makes the mistakes of one family in a sketch, which may hold another mistake already. */
export type Family = (sketch: Sketch, given: Case) => Iterable<Variant>;
