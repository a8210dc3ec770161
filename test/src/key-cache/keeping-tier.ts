// A tier that comes to hold keys, loses some, and gets new private keys, until a test kills it. It says on standard
// output what a restart must find.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HeldDays, SERVICE_KEYS, type Clock } from '@sigv4-keyd/hop-protocol';
import { cacheSecretOf, createLogger, KeyCache } from '@sigv4-keyd/service-skeleton';
import type { KService } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { day } from '../support/days.js';
import { sayAtOnce } from '../support/said-at-once.js';
import { EDGE, factsOf, FEED, keyOf, newPrivateKey } from './cache-under-test.js';

const settings = z
  .object({ folder: z.string(), keyFile: z.string(), first: z.number(), now: z.number() })
  .parse(JSON.parse(process.argv[2] ?? ''));

// Waits are short here, so that many kills take little time; the day stands still.
const clock: Clock = {
  now: () => settings.now,
  after(ms, task) {
    const timer = setTimeout(task, ms / 500);
    return () => clearTimeout(timer);
  },
};
const days = new HeldDays<KService>({
  hop: SERVICE_KEYS,
  ready: (key) => key,
  clock,
  window: { longestPresignedSeconds: 86_400, clockSkewSeconds: 900 },
  memoryBytes: 64 * 1024 ** 2,
  hashSeed: Buffer.alloc(8, 1),
  denialOf: () => undefined,
});
const cache = await KeyCache.open({
  folder: settings.folder,
  keys: SERVICE_KEYS.path,
  keyBytes: SERVICE_KEYS.keyBytes,
  held: days,
  secret: cacheSecretOf(readFileSync(settings.keyFile), EDGE),
  savedFeed: () => FEED,
  clock,
  log: createLogger({ service: 'keeping-tier', level: 'silent' }),
});
const saved = async (): Promise<void> => {
  while (cache.status().isBehind) {
    await cache.idle();
    await pause(1);
  }
};

const dates = [day('20261121'), day('20261122')];
for (let number = settings.first; ; number += 50) {
  for (let each = number; each < number + 50; each += 1) {
    const accessKeyId = `AKIA${each}`;
    for (const date of dates) days.hold(date, factsOf(accessKeyId), keyOf(date, accessKeyId));
  }
  await saved();
  sayAtOnce(`saved ${number}`);
  if (number % 150 === 0) {
    sayAtOnce(`wiping ${number}`);
    await days.purge((_date, { accessKeyId }) => accessKeyId === `AKIA${number}`);
    await saved();
    sayAtOnce(`wiped ${number}`);
  }
  if (number % 350 === 0) {
    const privateKey = newPrivateKey();
    sayAtOnce('renewing');
    writeFileSync(`${settings.keyFile}.new`, privateKey);
    renameSync(`${settings.keyFile}.new`, settings.keyFile);
    const handingOver = cache.handOver(cacheSecretOf(privateKey, EDGE));
    const isDone = handingOver.then(() => true);
    const isPlaced = (): boolean => existsSync(join(settings.folder, 'older-secrets.sealed'));
    while (!isPlaced() && !(await Promise.race([isDone, pause(1, false)])));
    sayAtOnce('handed over');
    await handingOver;
    await saved();
    sayAtOnce('renewed');
  }
}
