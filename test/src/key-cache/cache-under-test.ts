import { generateKeyPairSync } from 'node:crypto';
import {
  HeldDays,
  SERVICE_KEYS,
  type AccessKeyFacts,
  type DenialOf,
  type FeedMark,
  type HeldKey,
} from '@sigv4-keyd/hop-protocol';
import { cacheSecretOf, createLogger, KeyCache, type CacheSecret } from '@sigv4-keyd/service-skeleton';
import type { KService, ScopeDate } from '@sigv4-keyd/sigv4-core';
import type { Test } from 'tap';
import { newStateFolder } from '../support/state-folder.js';
import { VirtualClock } from '../support/virtual-clock.js';

export const NOW = '2026-11-22T10:00:00Z';
export const EDGE = 'spiffe://keyd.test/edge/eu-west-1/s3/e1';
export const FEED: FeedMark = { version: 7, setHash: 'ab'.repeat(32) };

/** A private key as a PEM file holds it. */
export function newPrivateKey(): Buffer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' }));
}

export const OWN_KEY = newPrivateKey();

/** Held keys that remember which copies of key bytes they gave away. */
class WatchedDays extends HeldDays<KService> {
  readonly copies: Uint8Array[] = [];

  override *entries(date: ScopeDate): Generator<HeldKey> {
    for (const entry of super.entries(date)) yield this.#watch(entry);
  }

  override copyOf(date: ScopeDate, accessKeyId: string): HeldKey | undefined {
    const copy = super.copyOf(date, accessKeyId);
    return copy && this.#watch(copy);
  }

  #watch(entry: HeldKey): HeldKey {
    this.copies.push(entry.key);
    return entry;
  }
}

/** What a test says of the run; each run is a process of its own, as far as the cache can tell. */
export interface Run {
  readonly folder?: string;
  readonly secret?: CacheSecret;
  readonly at?: string;
  /** The path of the hop. */
  readonly keys?: string;
  /** What a restart would find of the feed; null: nothing. */
  readonly feed?: FeedMark | null;
  readonly denialOf?: DenialOf;
}

export interface CacheUnderTest {
  readonly folder: string;
  readonly clock: VirtualClock;
  readonly days: WatchedDays;
  readonly cache: KeyCache;
  /** Said by the tests that change it. */
  readonly world: { feed: FeedMark | undefined; denialOf: DenialOf };
  /** Log lines of an event. */
  readonly told: (event: string) => readonly Readonly<Record<string, unknown>>[];
  readonly log: readonly string[];
}

export async function openCache(t: Pick<Test, 'teardown'>, run: Run = {}): Promise<CacheUnderTest> {
  const { folder = newStateFolder(t), secret = cacheSecretOf(OWN_KEY, EDGE), at = NOW, keys = SERVICE_KEYS.path } = run;
  const clock = new VirtualClock(at);
  const feed = run.feed === undefined ? FEED : (run.feed ?? undefined);
  const world = { feed, denialOf: run.denialOf ?? (() => undefined) };
  const days = new WatchedDays({
    hop: SERVICE_KEYS,
    ready: (key) => key,
    clock,
    window: { longestPresignedSeconds: 2 * 86_400, clockSkewSeconds: 900 },
    memoryBytes: 64 * 1024 ** 2,
    hashSeed: Buffer.alloc(8, 1),
    denialOf: (date, facts) => world.denialOf(date, facts),
  });
  const log: string[] = [];
  const cache = await KeyCache.open({
    folder,
    keys,
    keyBytes: SERVICE_KEYS.keyBytes,
    held: days,
    secret,
    savedFeed: () => world.feed,
    clock,
    log: createLogger({ service: 'test', level: 'info', destination: { write: (line) => log.push(line) } }),
  });
  const told: CacheUnderTest['told'] = (event) =>
    log.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>).filter((line) => line['event'] === event);
  return { folder, clock, days, cache, world, told, log };
}

export function factsOf(accessKeyId: string, more: Partial<AccessKeyFacts> = {}): AccessKeyFacts {
  return { accessKeyId, version: 1, createdAt: 1_000, ...more };
}

/** The key of an access key on a day, so that a wrong one is told from the right one. */
export function keyOf(date: ScopeDate, accessKeyId: string, version = 1): Buffer {
  const key = Buffer.alloc(SERVICE_KEYS.keyBytes);
  key.write(`${date}/${accessKeyId}/${version}`);
  return key;
}

export function hold({ days }: CacheUnderTest, date: ScopeDate, ...accessKeyIds: readonly string[]): void {
  for (const accessKeyId of accessKeyIds) days.hold(date, factsOf(accessKeyId), keyOf(date, accessKeyId));
}

/** Access keys that are held of a day, each with the right key. */
export function heldOf({ days }: CacheUnderTest, date: ScopeDate): readonly string[] {
  const found = [...days.entries(date)].map(({ facts: { accessKeyId, version }, key }) => {
    const isRight = keyOf(date, accessKeyId, version).equals(key);
    return isRight ? accessKeyId : `${accessKeyId} with a wrong key`;
  });
  return found.toSorted();
}
