import type { AccessKeyChange } from '@sigv4-keyd/revocation';
import type { Absence, AccessKeyFacts } from '../key-source.js';
import type { KeyPlace } from './key-denials.js';

/**
 * Why a key is not to be used as far as its access key goes, or undefined. What the feed tells of an access key is
 * signed and counts in place of the facts that came with the key: no parent can undo it, and no new key is needed where
 * a restriction was lifted.
 */
export function accessKeyDenial(
  facts: AccessKeyFacts,
  change: AccessKeyChange | undefined,
  { region = '', service }: KeyPlace,
  now: number,
): Absence | undefined {
  if (change?.status === 'deleted') return 'unknown';
  if (change?.status === 'disabled') return 'disabled';
  if (change?.regions?.includes(region) === false) return 'not-for-scope';
  const { expiresAt, services } = change ?? facts;
  if (expiresAt !== undefined && expiresAt <= now) return 'expired';
  if (service !== undefined && services?.includes(service) === false) return 'not-for-scope';
  // A key of the secret that was replaced. The next answer may bring one of the new secret.
  return change !== undefined && facts.version < change.secretVersion ? 'unavailable' : undefined;
}
