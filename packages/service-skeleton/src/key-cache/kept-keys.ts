import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { Clock, FeedFollower, Hop } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import type { Logger } from '../logging.js';
import { StartError } from '../start-error.js';
import { cacheSecretOf, type CacheSecret } from './cache-secret.js';
import { KeyCache, type KeyCacheStatus } from './key-cache.js';
import type { KeysInMemory } from './keys-in-memory.js';

/** Where held keys are kept. */
export const keyCache = z
  .enum(['disk', 'memory'])
  .default('disk')
  .describe('disk: a restart finds the held keys, sealed under our private key, in the state folder; or memory only');

export interface KeptKeysContext {
  /** What the keys come by. */
  readonly hop: Pick<Hop<never>, 'path' | 'keyBytes'>;
  readonly held: KeysInMemory;
  readonly credentials: CredentialsStore;
  readonly feed: Pick<FeedFollower, 'saved'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export type KeptKeysStatus = ({ readonly keptIn: 'disk' } & KeyCacheStatus) | { readonly keptIn: 'memory' };

/** What the rest of a service sees of the cache. */
export interface KeptKeys {
  warnings(): readonly string[];
  status(): KeptKeysStatus;
  close(): Promise<void>;
}

export interface KeptKeysSettings {
  readonly keyCache: z.output<typeof keyCache>;
  readonly stateFolder: string;
}

const FOLDER = 'key-cache';

/**
 * Takes up the keys that an earlier process kept, and keeps them from now on; or, with `memory`, removes what is there.
 * The feed must have been restored before: it says which of them are still good.
 * @throws StartError
 */
export async function keepKeys(settings: KeptKeysSettings, context: KeptKeysContext): Promise<KeptKeys> {
  const { hop, held, credentials, feed, clock, log } = context;
  const folder = join(settings.stateFolder, FOLDER);
  if (settings.keyCache === 'memory') {
    await forget(folder, 'although KEYD_KEY_CACHE says memory');
    return { warnings: () => [], status: () => ({ keptIn: 'memory' }), close: () => Promise.resolve() };
  }
  const cache = await KeyCache.open({
    folder: join(folder, basename(hop.path)),
    keys: hop.path,
    keyBytes: hop.keyBytes,
    held,
    secret: secretOf(credentials),
    savedFeed: () => feed.saved,
    clock,
    log: log.child({ hop: hop.path }),
  });
  const stopListening = credentials.onChange(() => void cache.handOver(secretOf(credentials)));
  return {
    warnings: () => cache.warnings(),
    status: () => ({ keptIn: 'disk', ...cache.status() }),
    async close() {
      stopListening();
      await cache.close();
    },
  };
}

/**
 * Removes what was kept of the keys of a hop that this identity is not served by any more.
 * @throws StartError
 */
export function forgetKeptKeys({ stateFolder }: KeptKeysSettings, hop: Pick<Hop<never>, 'path'>): Promise<void> {
  return forget(join(stateFolder, FOLDER, basename(hop.path)), 'of another kind of identity');
}

function secretOf({ current }: CredentialsStore): CacheSecret {
  return cacheSecretOf(current.key, current.spiffeId);
}

async function forget(folder: string, why: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    const message = `${folder} holds keys of an earlier run, ${why}, and cannot be removed: remove it`;
    throw new StartError(message, 69, error);
  }
}
