// An edge that accepts one request after the other until its standard input ends, each of an access key of its own, and
// says on standard output which are sealed. It brings its roll-ups to a region all the while, until a test kills it.
import { setTimeout as pause } from 'node:timers/promises';
import { createMtlsAgent, CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { AcceptanceCounts, AcceptanceRollups } from '@sigv4-keyd/edge-keys';
import { PeerClient, systemClock } from '@sigv4-keyd/hop-protocol';
import { createLogger } from '@sigv4-keyd/service-skeleton';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { sayAtOnce } from '../support/said-at-once.js';

const settings = z
  .object({ region: z.url(), stateFolder: z.string(), cert: z.string(), key: z.string(), ca: z.string() })
  .parse(JSON.parse(process.argv[2] ?? ''));
const first = z.coerce.number().parse(process.argv[3]);

const credentials = await CredentialsStore.open(settings);
const dispatcher = createMtlsAgent({ credentials, acceptsServer: ({ segments }) => segments[0] === 'region' });
const counts = new AcceptanceCounts();
const rollups = await AcceptanceRollups.open({
  counts,
  stateFolder: settings.stateFolder,
  region: new PeerClient({ urls: [new URL(settings.region)], dispatcher }),
  clock: systemClock,
  log: createLogger({ service: 'counting-edge', level: 'silent' }),
});
rollups.start();
setInterval(() => void rollups.sealAndSend(), 100);

process.stdin.resume();
for (let number = first; !process.stdin.readableEnded; number += 1) {
  const now = Date.now();
  const scope = { date: scopeDateOf(now), region: 'us-east-1', service: 's3', terminator: 'aws4_request' } as const;
  counts.count({ accessKeyId: `AKIA${number}`, scope, mechanism: 'header' }, now);
  await rollups.seal();
  sayAtOnce(String(number));
  // The rate of a client, not of the disk: the rest of the system keeps up.
  await pause(20);
}
