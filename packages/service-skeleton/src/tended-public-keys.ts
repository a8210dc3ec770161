import { randomBytes } from 'node:crypto';
import {
  CachedKeySource,
  HeldDays,
  type Hop,
  type KeySource,
  type TokenRate,
  type PrefetchHours,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';
import type { KeptKeysSettings } from './key-cache/index.js';
import { TendedKeys, type TendingContext } from './tended-keys.js';

export interface TendedPublicKeysOptions<Key> {
  readonly parent: KeySource<Key>;
  /** How the keys are laid flat, and the hop that they come by. */
  readonly form: Pick<Hop<Key>, 'path' | 'keyBytes' | 'exportKey' | 'importKey'>;
  readonly window: WindowRule;
  readonly hours: PrefetchHours;
  /** Our SPIFFE id. */
  readonly identity: string;
  readonly missBudget: TokenRate;
}

export interface TendedPublicKeysSettings extends KeptKeysSettings {
  /** Bytes. */
  readonly publicKeyMemory: number;
}

/**
 * The public keys that a tier below the master holds, by the same rules as the keys of the ladder. Only access keys
 * whose owners sign with AWS4-ECDSA-P256-SHA256 ever have one here.
 * @throws StartError
 */
export function tendPublicKeys<Key>(
  settings: TendedPublicKeysSettings,
  { parent, form, window, hours, identity, missBudget }: TendedPublicKeysOptions<Key>,
  context: TendingContext,
): Promise<TendedKeys<Key>> {
  const { clock, random, denials } = context;
  const days = new HeldDays<Key>({
    hop: form,
    ready: (key) => key,
    clock,
    window,
    memoryBytes: settings.publicKeyMemory,
    hashSeed: randomBytes(8),
    denialOf: denials.denialOf,
  });
  const keys = new CachedKeySource({ parent, days, clock, random, missBudget });
  const memorySetting = 'KEYD_PUBLIC_KEY_MEMORY';
  return TendedKeys.open(settings, { keys, hop: form, hours, identity, memorySetting }, context);
}
