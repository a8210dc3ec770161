import type { DeputyIdentity } from '@sigv4-keyd/hop-protocol';
import { exportKDate, type KDate } from '@sigv4-keyd/sigv4-core';
import type { KeyKind } from '../key-source.js';
import type { DeputyGrants } from './deputy-grants.js';

/** kDate, given to deputies alone, for days that are granted at the moment of issuing. */
export function dateKeys(grants: DeputyGrants): KeyKind<KDate, DeputyIdentity> {
  return {
    scopeOf: () => ({ rung: 'kDate' }),
    requireDay: (transaction, deputy, date) => grants.requireGranted(transaction, deputy, date),
    slice: 200,
    derive: (custody, secret, { date }) => custody.kDate(secret, date),
  };
}

/** kDate, made to travel on at once. */
export function dateKeyBytes(grants: DeputyGrants): KeyKind<Buffer, DeputyIdentity> {
  return {
    ...dateKeys(grants),
    derive(custody, secret, { date }) {
      const key = custody.kDate(secret, date);
      return key instanceof Promise ? key.then(exportKDate) : exportKDate(key);
    },
  };
}
