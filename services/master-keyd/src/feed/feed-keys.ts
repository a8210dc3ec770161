import {
  FeedError,
  importFeedKey,
  pinFeedKeys,
  type FeedKey,
  type KeyPurpose,
  type PinnedKeys,
} from '@sigv4-keyd/revocation';
import { StartError } from '@sigv4-keyd/service-skeleton';
import type { Configuration } from '../configuration.js';

export interface MasterFeedKeys {
  /** Signs revocations and session tokens, and attests public keys. */
  readonly revocation: FeedKey;
  /** Signs beacons. */
  readonly beacon: FeedKey;
  /** What everyone below checks them against; the root's public key is among them. */
  readonly pinned: PinnedKeys;
}

/**
 * Reads the keys of the feed. A key whose public half is not pinned is refused: whatever it signs would be refused by
 * every region and edge.
 * @throws StartError
 */
export async function openFeedKeys(
  settings: Pick<Configuration, 'revocationKey' | 'beaconKey' | 'feedKeys'>,
): Promise<MasterFeedKeys> {
  const pinned = await explained('KEYD_FEED_KEYS', () => pinFeedKeys(settings.feedKeys()));
  return {
    revocation: await openKey('KEYD_REVOCATION_KEY', 'revocation', settings.revocationKey, pinned),
    beacon: await openKey('KEYD_BEACON_KEY', 'beacon', settings.beaconKey, pinned),
    pinned,
  };
}

async function openKey(setting: string, purpose: KeyPurpose, jwk: () => unknown, pinned: PinnedKeys): Promise<FeedKey> {
  const key = await explained(setting, () => importFeedKey(jwk()));
  if (key.purpose !== purpose) {
    throw new StartError(`${setting} is a ${key.purpose} key; give the ${purpose} key (keydctl feed-keys made it)`, 78);
  }
  if (pinned.get(key.kid)?.purpose !== purpose) {
    throw new StartError(
      `${setting} has the id ${key.kid}, which KEYD_FEED_KEYS does not hold: nobody would believe what it signs; ` +
        'add its public key there, at every region and edge first',
      78,
    );
  }
  return key;
}

async function explained<Result>(setting: string, open: () => Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof FeedError) throw new StartError(`${setting}: ${error.message}`, 78, error);
    throw error;
  }
}
