import { generateKeyPairSync, randomBytes, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as otherWork } from 'node:timers/promises';
import { HeldDays, SERVICE_KEYS, systemClock } from '@sigv4-keyd/hop-protocol';
import { cacheSecretOf, createLogger, KeyCache, type CacheSecret } from '@sigv4-keyd/service-skeleton';
import { scopeDateOf, type KService } from '@sigv4-keyd/sigv4-core';
import type { BenchPart } from '../bench-part.js';
import type { Measured } from '../measured.js';

/** Access keys held of one day. */
const KEYS = { whole: 1_000_000, quick: 20_000, tiny: 100 } as const;

export const part: BenchPart = {
  about: 'keeping the keys of a day on disk, and finding them again at a start',
  goals: [],
  run: ({ scale, keys }) => benchRestart(keys ?? KEYS[scale]),
};

interface Step {
  readonly step: string;
  readonly seconds: number;
  readonly keysASecond: number;
  /** The longest that nothing else had its turn. */
  readonly longestStallMs: number;
}

/** What an edge's day of keys costs on disk: to keep it, to seal it anew, and to take it up at a start. */
async function benchRestart(keys: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-bench-restart-'));
  try {
    const held = daysInMemory(keys);
    const first = await openCache(folder, held, newSecret());
    holdKeys(held, keys);
    const second = newSecret();
    const steps = [
      await timed('kept', keys, () => first.close()),
      await timed('sealed anew: a new private key, or a revocation', keys, () => first.handOver(second)),
    ];
    const { bytes } = first.status();
    const again = daysInMemory(keys);
    steps.push(await timed('taken up at a start', keys, () => openCache(folder, again, second)));
    const found = again.sizeOf(scopeDateOf(systemClock.now()));
    if (found !== keys) throw new Error(`${found} of ${keys} access keys were found again`);
    return told(steps, { keys, bytesAKey: bytes / keys });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function told(
  steps: readonly Step[],
  { keys, bytesAKey }: { readonly keys: number; readonly bytesAKey: number },
): Measured {
  const table = {
    title: `Restart: ${keys} access keys of one day, ${bytesAKey.toFixed(0)} bytes of disk each`,
    head: ['', 'seconds', 'keys a second', 'longest stall, ms'],
    rows: steps.map(({ step, seconds, keysASecond, longestStallMs }) => [step, seconds, keysASecond, longestStallMs]),
    notes: [],
  };
  return { tables: [table], figures: {}, plots: [] };
}

async function timed(step: string, keys: number, work: () => Promise<unknown>): Promise<Step> {
  const stalls = monitorEventLoopDelay({ resolution: 1 });
  stalls.enable();
  const from = performance.now();
  await work();
  const seconds = (performance.now() - from) / 1000;
  // One more turn, so that a stall at the end is seen.
  await otherWork();
  stalls.disable();
  return { step, seconds, keysASecond: keys / seconds, longestStallMs: stalls.max / 1e6 };
}

function daysInMemory(keys: number): HeldDays<KService> {
  return new HeldDays({
    hop: SERVICE_KEYS,
    ready: (key: KService) => key,
    clock: systemClock,
    window: { longestPresignedSeconds: 0, clockSkewSeconds: 900 },
    memoryBytes: keys * 1024,
    hashSeed: randomBytes(8),
    denialOf: () => undefined,
  });
}

function holdKeys(held: HeldDays<KService>, keys: number): void {
  const date = scopeDateOf(systemClock.now());
  const key = Buffer.alloc(SERVICE_KEYS.keyBytes);
  for (let number = 0; number < keys; number += 1) {
    const accessKeyId = `AKIA${String(number).padStart(16, '0')}`;
    held.hold(date, { accessKeyId, version: 1, createdAt: 0 }, randomFillSync(key));
  }
}

function openCache(folder: string, held: HeldDays<KService>, secret: CacheSecret): Promise<KeyCache> {
  return KeyCache.open({
    folder,
    keys: SERVICE_KEYS.path,
    keyBytes: SERVICE_KEYS.keyBytes,
    held,
    secret,
    savedFeed: () => ({ version: 1, setHash: '' }),
    clock: systemClock,
    log: createLogger({ service: 'bench', level: 'silent' }),
  });
}

function newSecret(): CacheSecret {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  return cacheSecretOf(Buffer.from(pem), 'spiffe://keyd.example/edge/us-east-1/s3/bench');
}
