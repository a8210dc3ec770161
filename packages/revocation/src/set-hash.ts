import { createHash } from 'node:crypto';

/** How a beacon names a set of statements. */
export interface SetName {
  /** Distinct statements' bytes. */
  readonly count: number;
  /** 64 lower-case hex digits. */
  readonly setHash: string;
}

/**
 * Names a set of compact JWS by their bytes; order and duplicates do not matter. The bytes and not the contents are
 * named, so that statements signed again under a new key reach every edge before the old key is retired.
 */
export function nameSet(statements: Iterable<string>): SetName {
  const hashes = [...new Set(statements)].map((jws) => createHash('sha256').update(jws).digest('hex')).sort();
  // The label keeps the hash of a set from being the hash of anything else; hashes of one length need no other mark.
  const setHash = createHash('sha256').update('sigv4-keyd set of statements v1\n').update(hashes.join('\n'));
  return { count: hashes.length, setHash: setHash.digest('hex') };
}

export function isSameSet(left: SetName, right: SetName): boolean {
  return left.count === right.count && left.setHash === right.setHash;
}
