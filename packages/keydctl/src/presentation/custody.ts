import type { CustodyStatus } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import type { ResealedAll } from '../custody/reseal-all.js';
import { facts, table } from './table.js';

const WHAT_TO_DO =
  'Give the masters the key that they are sealed with, as the one from before (KEYD_CUSTODY_KEY_BEFORE, or that of ' +
  'your keeper); where there is none, give them new secrets (keydctl access-key rotate) or delete them.';

export function custodyText(paint: Paint, { sealsWith, keys, unreadable }: CustodyStatus): string {
  const rows = keys.map(({ keyId, secrets, isGiven }) => [
    keyId ?? 'not named',
    String(secrets),
    isGiven === undefined ? '' : isGiven ? 'given' : paint.red('not given'),
  ]);
  const parts = [facts(paint, [['seals with', paint.bold(sealsWith)]])];
  parts.push(rows.length === 0 ? 'No secrets.' : table(paint, ['custody key', 'secrets', 'at this master'], rows));
  if (unreadable.length > 0) parts.push(unreadableText(paint, unreadable));
  return parts.join('\n\n');
}

export function rotationText(paint: Paint, { sealsWith, resealed, unreadable, left }: ResealedAll): string {
  const parts = [
    facts(paint, [
      ['custody key', paint.bold(sealsWith)],
      ['sealed anew', String(resealed)],
      ['left under another key', String(left)],
    ]),
  ];
  if (unreadable.length > 0) parts.push(unreadableText(paint, unreadable));
  if (left === 0)
    parts.push('Nothing is left under another key: KEYD_CUSTODY_KEY_BEFORE, or that of your keeper, may go.');
  else if (left > unreadable.length) parts.push('Some are being changed by others just now: run the command again.');
  return parts.join('\n\n');
}

function unreadableText(paint: Paint, ids: readonly string[]): string {
  return `${paint.red('These secrets cannot be read:')}\n${ids.map((id) => `  ${id}`).join('\n')}\n${WHAT_TO_DO}`;
}
