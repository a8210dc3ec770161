/** What clients are asked to do, in the order of the table's columns. */
export const OPERATIONS = [
  'upload',
  'upload over HTTP',
  'upload 20 MiB',
  'download',
  'download a range',
  'list',
  'list in pages',
  'copy',
  'delete',
  'presigned GET',
  'presigned PUT',
  'wrong secret',
  'wrong region',
  'clock 20 minutes off',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Keys that get lost on the way where something decodes, normalises or splits them. */
export const ODD_KEYS = [
  'a b',
  'a+b',
  'a%2Bb',
  '100%',
  'a&b=c',
  'ü/é',
  '🔑',
  "it's (1)!*~",
  'a//b',
  'a/./b',
  'a/../b',
  '/lead',
  'k'.repeat(200),
] as const;
export type OddKey = (typeof ODD_KEYS)[number];

/**
 * How an operation ended. A reason: the edge refused it, and the client told. `corrected`: the client mended itself by
 * what the answer said. `not kept`: verified and passed on, but the client or the store made
 * something else of it.
 */
export type Outcome = 'works' | 'corrected' | 'not offered' | 'not kept' | `refused: ${string}`;

export interface ClientRow {
  readonly operations: Readonly<Record<Operation, Outcome>>;
  readonly keys: Readonly<Record<OddKey, Outcome>>;
}
