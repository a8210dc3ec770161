import {
  KeydError,
  MOST_CHANGES_A_REQUEST,
  type AccessKey,
  type WantedAccessKeyChange,
} from '@sigv4-keyd/hop-protocol';
import { CommandError } from '../command-line/command-error.js';
import type { MasterClient } from '../master/master-client.js';
import type { ProgressLine } from '../terminal/progress-line.js';

export interface ChangedMany {
  readonly accessKeys: readonly AccessKey[];
  /** The version of the feed that tells of the last of them; absent in a dry run. */
  readonly version?: number;
}

/** Any number of access keys, as many a request as the master takes: those of a request are changed all or none. */
export async function changeMany(
  master: MasterClient,
  ids: readonly string[],
  change: WantedAccessKeyChange,
  { dryRun, progress }: { readonly dryRun: boolean; readonly progress: ProgressLine },
): Promise<ChangedMany> {
  const accessKeys: AccessKey[] = [];
  let version: number | undefined;
  for (let from = 0; from < ids.length; from += MOST_CHANGES_A_REQUEST) {
    if (from > 0) progress.show(`${from} of ${ids.length}`);
    try {
      const answer = await master.change(ids.slice(from, from + MOST_CHANGES_A_REQUEST), change, { dryRun });
      for (const key of answer.accessKeys) accessKeys.push(key);
      version = answer.version;
    } catch (error) {
      throw from > 0 && !dryRun ? halfDone(error, from, ids.length) : error;
    } finally {
      progress.end();
    }
  }
  return { accessKeys, ...(version !== undefined && { version }) };
}

function halfDone(error: unknown, done: number, all: number): unknown {
  if (!(error instanceof KeydError)) return error;
  const detail = error.detail === undefined ? '' : ` (${error.detail})`;
  const message = `${done} of ${all} access keys were changed, then master-keyd answered ${error.code}${detail}`;
  return new CommandError('failed', error.code, message, `${error.message} Run the command again: it goes on`);
}
