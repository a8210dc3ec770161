import { errorCodeOf } from '@sigv4-keyd/hop-protocol';
import type { Custody } from './custody.js';

/** A custody of which is known whether it served when it was last asked for a key. */
export interface WatchedCustody extends Custody {
  readonly isUp: boolean;
}

/** A secret that does not open says nothing of the others: only a custody that does not serve at all is down. */
export function watchCustody(custody: Custody): WatchedCustody {
  let isUp = true;
  const told = (error: unknown): never => {
    if (errorCodeOf(error) === 'custody-unavailable') isUp = false;
    throw error;
  };
  const well = <Result>(result: Result): Result => {
    isUp = true;
    return result;
  };
  const { kRegionBytes } = custody;
  const watch = <Result>(ask: () => Result | Promise<Result>): Result | Promise<Result> => {
    try {
      const result = ask();
      return result instanceof Promise ? result.then(well, told) : well(result);
    } catch (error) {
      return told(error);
    }
  };
  return {
    get isUp() {
      return isUp;
    },
    seal: (name, secretAccessKey) => custody.seal(name, secretAccessKey),
    kDate: (secret, date) => watch(() => custody.kDate(secret, date)),
    // Such a keeper is in this process: it serves whenever this does.
    ...(kRegionBytes && { kRegionBytes }),
    ecdsaPublicKey: (secret) => watch(() => custody.ecdsaPublicKey(secret)),
  };
}
