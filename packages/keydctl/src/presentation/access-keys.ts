import type { AccessKey, AccessKeyStatus } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { shortInstant } from './age.js';
import { facts, table } from './table.js';

const COLOURS = { enabled: 'green', disabled: 'yellow', deleted: 'red' } as const satisfies Record<
  AccessKeyStatus,
  string
>;

export function accessKeyTable(paint: Paint, accessKeys: readonly AccessKey[]): string {
  if (accessKeys.length === 0) return 'No access keys. Create one: keydctl access-key create --owner NAME';
  const headings = ['access key id', 'owner', 'status', 'pinned', 'regions', 'services', 'created', 'expires'];
  return table(
    paint,
    headings,
    accessKeys.map((key) => [
      key.accessKeyId,
      key.owner,
      statusIn(paint, key),
      key.pinned ? 'yes' : 'no',
      scopes(key.regions),
      scopes(key.services),
      shortInstant(key.createdAt),
      key.expiresAt === undefined ? 'never' : shortInstant(key.expiresAt),
    ]),
  );
}

export function accessKeyFacts(paint: Paint, key: AccessKey): string {
  return facts(paint, accessKeyFactPairs(paint, key));
}

/** The one time that a secret is shown. */
export function createdAccessKeyFacts(paint: Paint, key: AccessKey & { readonly secretAccessKey: string }): string {
  const pairs = accessKeyFactPairs(paint, key);
  pairs.splice(1, 0, ['secret access key', paint.bold(key.secretAccessKey)]);
  return `${facts(paint, pairs)}\n\nThe secret is shown this once; keep it now. It cannot be shown again.`;
}

/** What is known of an access key; the id first. */
export function accessKeyFactPairs(paint: Paint, key: AccessKey): [name: string, value: string][] {
  return [
    ['access key id', paint.bold(key.accessKeyId)],
    ...(key.parentAccessKeyId === undefined ? [] : [pair('session of', key.parentAccessKeyId)]),
    ...(key.sessionName === undefined ? [] : [pair('session name', key.sessionName)]),
    ['owner', key.owner],
    ['status', statusIn(paint, key)],
    ['pinned', key.pinned ? 'yes' : 'no'],
    ['regions', scopes(key.regions)],
    ['services', scopes(key.services)],
    ['created', shortInstant(key.createdAt)],
    ['expires', key.expiresAt === undefined ? 'never' : shortInstant(key.expiresAt)],
  ];
}

function pair(name: string, value: string): [name: string, value: string] {
  return [name, value];
}

export function statusIn(paint: Paint, { status }: AccessKey): string {
  return paint[COLOURS[status]](status);
}

export function scopes(names: readonly string[] | undefined): string {
  return names === undefined ? 'all' : names.join(', ');
}
