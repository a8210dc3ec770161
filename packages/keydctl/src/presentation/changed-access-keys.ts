import type { RotatedAccessKey } from '@sigv4-keyd/hop-protocol';
import type { ChangedMany } from '../access-key/change-many.js';
import type { Paint } from '../command-line/outcome.js';
import { accessKeyFacts, accessKeyTable, createdAccessKeyFacts } from './access-keys.js';
import { shortInstant } from './age.js';

/** Rows that eyes can follow; `--json` has all. */
const MOST_ROWS = 50;

const WHERE_IN_FORCE =
  'Regions and edges hear of it within a second. One that is cut off, or whose region withholds the feed, goes on as ' +
  'before until its hard horizon at the latest (12h unless configured otherwise); keydctl status shows who is silent.';

/** What became of access keys, since when, and where. */
export function changedAccessKeysText(paint: Paint, { accessKeys, version }: ChangedMany, effect: string): string {
  const [only] = accessKeys;
  const shown = accessKeys.length === 1 && only ? accessKeyFacts(paint, only) : tableOf(paint, accessKeys);
  if (version === undefined)
    return `${shown}\n\nNothing was changed: this was a dry run over ${many(accessKeys.length)}.`;
  return `${shown}\n\n${many(accessKeys.length)} changed. ${effect}\n${inForce(version)}`;
}

/** The one time that the new secret is shown. */
export function rotatedAccessKeyText(paint: Paint, { accessKey, predecessor }: RotatedAccessKey): string {
  const created = createdAccessKeyFacts(paint, accessKey);
  const end = predecessor?.expiresAt;
  if (predecessor === undefined || end === undefined) {
    const effect = 'The old secret is good no more, and neither are presigned URLs that were made with it.';
    return `${created}\n\n${effect}\n${inForce(accessKey.version)}`;
  }
  return `${created}\n\n${predecessor.accessKeyId} goes on until ${shortInstant(end)}.\n${WHERE_IN_FORCE}`;
}

function inForce(version: number): string {
  return `In force since version ${version} of the feed. ${WHERE_IN_FORCE}`;
}

function tableOf(paint: Paint, accessKeys: ChangedMany['accessKeys']): string {
  const rows = accessKeyTable(paint, accessKeys.slice(0, MOST_ROWS));
  const more = accessKeys.length - MOST_ROWS;
  return more > 0 ? `${rows}\n... and ${more} more` : rows;
}

function many(count: number): string {
  return count === 1 ? '1 access key' : `${count} access keys`;
}
