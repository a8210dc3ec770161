import { createAccessKey, type AccessKeyStatus, type WantedAccessKeyChange } from '@sigv4-keyd/hop-protocol';
import type { CommandCall } from '../command-line/define-command.js';
import { flag, option } from '../command-line/option.js';
import type { Outcome } from '../command-line/outcome.js';
import { tlsFilesOf, type ConnectionOptions } from '../master/connection-options.js';
import { withMaster } from '../master/with-master.js';
import { changedAccessKeysText } from '../presentation/changed-access-keys.js';
import { confirm } from '../terminal/confirm.js';
import { progressLine } from '../terminal/progress-line.js';
import { changeMany } from './change-many.js';
import { choiceOf, chosenIds } from './chosen-access-keys.js';

/** For every command that changes access keys that there are. */
export const CHOSEN_ACCESS_KEYS = [['[access-key-ids...]', 'which access keys']] as const;
export const choiceOptions = {
  owner: option(createAccessKey.shape.owner.optional(), { value: 'name', about: 'all access keys of this owner' }),
  dryRun: flag('only show which access keys it would change'),
};

export interface Change {
  readonly change: WantedAccessKeyChange;
  /** What it does, in words. */
  readonly effect: string;
  /** Of an owner's access keys, only these; absent: all that are not deleted. */
  readonly ofOwner?: AccessKeyStatus;
  /** Asked before what cannot be undone. */
  readonly question?: (ids: readonly string[]) => string;
}

type Call = CommandCall<ConnectionOptions & { readonly owner?: string | undefined; readonly dryRun: boolean }>;

/** Changes the access keys that are named, or all of an owner. `isConfirmed`: nothing is to be asked. */
export function runChange(
  { options, positionals, surroundings }: Call,
  { change, effect, ofOwner, question }: Change,
  isConfirmed = true,
): Promise<Outcome> {
  const { owner, dryRun, master: url } = options;
  const choice = choiceOf(positionals, owner);
  return withMaster({ url, files: tlsFilesOf(options) }, surroundings.now(), async (master) => {
    const ids = await chosenIds(master, choice, ofOwner);
    if (question && !dryRun) await confirm(surroundings, question(ids), isConfirmed);
    const changed = await changeMany(master, ids, change, { dryRun, progress: progressLine(surroundings) });
    return { document: changed, text: (paint) => changedAccessKeysText(paint, changed, effect) };
  });
}
