import { createMtlsAgent, CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { mtlsKeySource, PeerClient, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

/**
 * A process that asks a region for one new access key after the other until its input ends, and writes the id of each
 * that it was given a key of, a line each, once it has it. The region may be down for a while.
 */
const settings = z
  .object({ region: z.string(), cert: z.string(), key: z.string(), ca: z.string(), accessKeyIds: z.array(z.string()) })
  .parse(JSON.parse(process.argv[2] ?? ''));
const credentials = await CredentialsStore.open(settings);
const dispatcher = createMtlsAgent({ credentials, acceptsServer: ({ segments }) => segments[0] === 'region' });
const scope = { region: 'us-east-1', service: 's3' };
const client = new PeerClient({ urls: [new URL(settings.region)], dispatcher, timeoutMs: 3_000 });
const source = mtlsKeySource(SERVICE_KEYS, scope, client);
let isOver = false;
process.stdin.on('end', () => (isOver = true)).resume();

async function ask(lane: number): Promise<void> {
  for (let n = lane; !isOver; n += LANES) {
    const accessKeyId = settings.accessKeyIds[n % settings.accessKeyIds.length] ?? '';
    try {
      const { issued } = await source.issue({ date: scopeDateOf(Date.now()), accessKeyIds: [accessKeyId] });
      if (issued.size > 0) process.stdout.write(`${accessKeyId}\n`);
    } catch {
      await pause(20);
    }
  }
}

/** Several at a time, so that answers share a sync of the journal. */
const LANES = 4;
await Promise.all(Array.from({ length: LANES }, (_, lane) => ask(lane)));
await dispatcher.close();
