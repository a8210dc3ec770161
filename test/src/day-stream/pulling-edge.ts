import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createMtlsAgent, CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { DayPull, mtlsDaySource, PeerStreams, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { secretOf } from '../support/made-up-access-keys.js';

/**
 * A process that pulls the whole day from a region again and again until its input ends. For each page it writes a line
 * with the ids, once it has checked every key; `wrong ID` for a key that is not right; `end COUNT` for each day that
 * has come whole.
 */
const settings = z
  .object({ region: z.string(), cert: z.string(), key: z.string(), ca: z.string() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const credentials = await CredentialsStore.open(settings);
const dispatcher = createMtlsAgent({ credentials, acceptsServer: ({ segments }) => segments[0] === 'region' });
const parent = new PeerStreams({ urls: [new URL(settings.region)], dispatcher });
const source = mtlsDaySource(SERVICE_KEYS, { region: 'us-east-1', service: 's3' }, parent);
const stop = new AbortController();
process.stdin.on('end', () => stop.abort()).resume();

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const date = scopeDateOf(Date.now());

while (!stop.signal.aborted) {
  const pull = new DayPull({
    source,
    date,
    which: 'all',
    mostKeys: 1_000_000,
    take: (keys) => {
      const lines = keys.map(({ facts, key }) => {
        const kRegion = hmac(hmac(`AWS4${secretOf(facts.accessKeyId)}`, date), 'us-east-1');
        return hmac(kRegion, 's3').equals(key) ? facts.accessKeyId : `wrong ${facts.accessKeyId}`;
      });
      process.stdout.write(`${lines.join(',')}\n`);
    },
  });
  while (!pull.isOver) {
    stop.signal.throwIfAborted();
    try {
      await pull.advance();
      process.stdout.write(`end ${pull.keys}\n`);
    } catch {
      await pause(20);
    }
  }
}
await dispatcher.destroy();
