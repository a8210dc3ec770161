import type { KeyObject } from 'node:crypto';
import { custodyKeyIdOf } from '@sigv4-keyd/hop-protocol';

/** A key that secrets are sealed with, under the name that each of its seals bears. */
export interface CustodyKey {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly key: KeyObject;
}

/** New seals are made with `current`; `before` is read only. */
export interface CustodyKeys {
  readonly current: CustodyKey;
  readonly before?: CustodyKey;
}

export function custodyKeyOf(key: KeyObject): CustodyKey {
  return { id: custodyKeyIdOf(key), key };
}

export function custodyKeysOf(current: KeyObject, before?: KeyObject): CustodyKeys {
  return { current: custodyKeyOf(current), ...(before && { before: custodyKeyOf(before) }) };
}

/** The keys that values may be sealed with, the likelier one first. */
export function readableKeys({ current, before }: CustodyKeys): readonly CustodyKey[] {
  return before ? [current, before] : [current];
}
