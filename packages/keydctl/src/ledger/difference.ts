import type { LedgerLeaf } from '@sigv4-keyd/hop-protocol';

/** What is wrong with the log, in words. */
export interface Difference {
  /** Absent where no leaf can be named. */
  readonly leaf?: number;
  readonly what: string;
}

/** A leaf that is not what the log has the hash of. */
export interface ChangedLeaf {
  readonly leaf: LedgerLeaf;
  /** The hash of the record that is there now, base64. */
  readonly own: string;
}

/** Whose records stand in each other's places: the leaf that each hash belongs to. */
export function inOtherPlaces(changed: readonly ChangedLeaf[]): ReadonlyMap<string, number> {
  return new Map(changed.flatMap(({ leaf: { leaf, hash } }) => (hash === null ? [] : [[hash, leaf]])));
}

export function differenceOf(
  { leaf: { leaf, hash, record }, own }: ChangedLeaf,
  places: ReadonlyMap<string, number>,
): Difference {
  if (record === null) return { leaf, what: 'its record is gone' };
  if (hash === null) return { leaf, what: 'the log has lost its hash' };
  const place = places.get(own);
  if (place !== undefined) return { leaf, what: `it holds the record of leaf ${place}: the order was changed` };
  return { leaf, what: `its record was changed (${nameOf(record)})` };
}

/** Enough to find the record by; whatever stands in its place may be anything. */
function nameOf(record: string): string {
  const [, id] = /"id":"([\x21\x23-\x7e]{1,128})"/.exec(record) ?? [];
  return id === undefined ? 'it has no id any more' : `id ${id}`;
}
