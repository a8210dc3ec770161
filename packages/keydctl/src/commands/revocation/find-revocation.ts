import type { ListedRevocations } from '@sigv4-keyd/hop-protocol';
import { CommandError, usageError } from '../../command-line/command-error.js';
import type { MasterClient } from '../../master/master-client.js';

const BEGINNING = /^[0-9a-f-]{4,36}$/i;

/** The revocation of this id; the beginning of an id is enough where it is the only one. */
export async function findRevocation(
  master: MasterClient,
  id: string,
): Promise<ListedRevocations['revocations'][number]> {
  if (!BEGINNING.test(id)) {
    throw usageError('the id of a revocation is at least 4 letters, digits or hyphens', 'See keydctl revocation list');
  }
  const { revocations } = await master.revocations();
  const found = revocations.filter(({ statement }) => statement.id.startsWith(id.toLowerCase()));
  const [revocation] = found;
  if (revocation !== undefined && found.length === 1) return revocation;
  const message = found.length === 0 ? 'there is no revocation of this id' : 'several revocations begin with this id';
  throw new CommandError('failed', 'not-found', message, 'See keydctl revocation list');
}
