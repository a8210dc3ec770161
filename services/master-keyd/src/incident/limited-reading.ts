import { KeydError } from '@sigv4-keyd/hop-protocol';
import { stateOf } from '../database/database-error.js';
import type { Transaction } from '../database/transaction.js';

/** How long the server may work on a statement from now on: what is left of the limit since the transaction began. */
const LIMIT = `SELECT set_config('statement_timeout',
  greatest(1, $1 - extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000)::integer::text, true)`;

const CANCELLED = '57014';

/**
 * The same transaction, whose statements together end within the limit: the server keeps the time, and what would take
 * longer is refused as 'too-large', with what to do. Nobody waits for an answer that comes after the client has gone.
 */
export function limitedReading(transaction: Transaction, withinMs: number): Transaction {
  return new Proxy(transaction, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name);
      if (name !== 'query' || typeof member !== 'function') return member;
      return async (...statement: readonly unknown[]): Promise<unknown> => {
        try {
          await target.query(LIMIT, [withinMs]);
          return await Reflect.apply(member, target, statement);
        } catch (error) {
          if (stateOf(error) !== CANCELLED) throw error;
          throw new KeydError('too-large', {
            detail:
              `more has to be read than ${withinMs / 1000} s are enough for: ` +
              'ask for fewer days (to), a region, a service or an access key',
            cause: error,
          });
        }
      };
    },
  });
}
