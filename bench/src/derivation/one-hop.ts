import { randomBytes } from 'node:crypto';
import {
  DayPull,
  dayStreamFrames,
  HeldKeys,
  MOST_KEYS_A_REQUEST,
  readDayStream,
  Recipient,
  SERVICE_KEYS,
  sealTo,
  type DayStreamRequest,
  type StreamedKey,
} from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { LongestTurn } from './longest-turn.js';

export interface HopMeasured {
  readonly seconds: number;
  readonly processorMicrosecondsAKey: number;
  /** CPU time of one turn of the event loop. */
  readonly longestStallMs: number;
  readonly bytesAKey: number;
}

/**
 * A day's keys from memory into a table that is ready to verify: sealed pages, read and held with all their checks.
 * Both ends are in this process, on one core; records, TLS and the disk are left out.
 */
export async function oneHop(date: ScopeDate, keys: number): Promise<HopMeasured> {
  const request: DayStreamRequest = { date, which: 'all' };
  const scope = { region: 'us-east-1', service: 's3' };
  const recipient = new Recipient();
  const { keyBytes, path } = SERVICE_KEYS;
  const sealing = sealTo(recipient.publicKey, path);
  const held = new HeldKeys({ keyBytes, mostKeys: keys * 2, hashSeed: randomBytes(8) });
  const turns = new LongestTurn();
  const begun = performance.now();
  const before = process.cpuUsage();
  turns.start();
  const body = dayStreamFrames(SERVICE_KEYS, { request, scope, sealing, pages: pagesOf(keys, keyBytes) });
  const pull = new DayPull({
    ...request,
    source: { pages: () => readDayStream({ request, scope, hop: SERVICE_KEYS, recipient }, body) },
    mostKeys: keys,
    take(some) {
      for (const { facts, key } of some) held.put(facts, key);
    },
  });
  await pull.advance();
  const longestStallMs = turns.stop();
  const { user, system } = process.cpuUsage(before);
  return {
    seconds: (performance.now() - begun) / 1000,
    processorMicrosecondsAKey: (user + system) / keys,
    longestStallMs,
    bytesAKey: held.bytes / keys,
  };
}

/** Made as they are asked for, as a region makes them of its own table. */
async function* pagesOf(keys: number, keyBytes: number): AsyncGenerator<readonly StreamedKey[]> {
  const createdAt = Date.now();
  for (let from = 0; from < keys; from += MOST_KEYS_A_REQUEST) {
    const count = Math.min(MOST_KEYS_A_REQUEST, keys - from);
    const bytes = randomBytes(count * keyBytes);
    yield await Promise.resolve(
      Array.from({ length: count }, (_, n) => ({
        facts: { accessKeyId: `AKIA${String(from + n).padStart(16, '0')}`, createdAt, version: 1 },
        key: bytes.subarray(n * keyBytes, (n + 1) * keyBytes),
      })),
    );
  }
}
