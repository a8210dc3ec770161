import { accessKeyIdsOf } from '../arguments/access-key-id.js';
import { CommandError, usageError } from '../command-line/command-error.js';
import type { AccessKeyFilter, MasterClient } from '../master/master-client.js';

/** Which access keys a command is about: those that are named, or all of an owner. */
export type Choice = { readonly ids: readonly string[] } | { readonly owner: string };

export function choiceOf(positionals: readonly string[], owner: string | undefined): Choice {
  if (owner === undefined && positionals.length > 0) return { ids: accessKeyIdsOf(positionals) };
  if (owner !== undefined && positionals.length === 0) return { owner };
  throw usageError('give access key ids, or --owner NAME for all of one owner', 'See keydctl access-key list');
}

/** The ids of the moment, in the order given or in that of the ids. `status`: of an owner's, only those. */
export async function chosenIds(
  master: MasterClient,
  choice: Choice,
  status: AccessKeyFilter['status'],
): Promise<readonly string[]> {
  if ('ids' in choice) return choice.ids;
  const ids: string[] = [];
  for await (const { accessKeyId } of master.list({ owner: choice.owner, status })) ids.push(accessKeyId);
  if (ids.length > 0) return ids;
  const which = status === undefined ? 'no access key' : `no access key that is ${status}`;
  const owner = JSON.stringify(choice.owner);
  throw new CommandError('failed', 'not-found', `the owner ${owner} has ${which}`, 'See keydctl access-key list');
}
