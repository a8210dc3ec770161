import { copyFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { renew } from '@sigv4-keyd/pki';
import t from 'tap';
import { request } from 'undici';
import { send } from '../edge-verifier/client.js';
import { REGION, startRenewingTiers, type TierWithFiles } from './renewing-tiers.js';

t.setTimeout(120_000);

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

interface Status {
  readonly warnings: readonly string[];
  readonly regionReachable?: boolean;
}

async function statusOf({ service }: TierWithFiles): Promise<Status> {
  const { body } = await request(`http://${service.addresses['health'] ?? ''}/status`);
  return (await body.json()) as Status;
}

t.test(
  'a region with an expired certificate: edges go on with what they hold, and it recovers by itself',
  async (t) => {
    const stack = await startRenewingTiers(t);
    const { clock, authority } = stack;
    const { region, edge } = stack.tiers;
    const verdictOn = async (accessKey: CreatedAccessKey): Promise<string> => {
      const { status, headers } = await send(edge.service.addresses['proxy'] ?? '', stack.signedWith(accessKey));
      return status === 200 ? 'served' : String(headers['x-keyd-reason']);
    };
    const until = async (isSo: () => Promise<boolean>): Promise<void> => {
      while (!(await isSo())) await clock.leapTo(clock.now() + 1_000);
    };
    const renewed = ({ files }: TierWithFiles, now: number) =>
      renew({ authority, folder: dirname(files.cert), name: basename(files.cert, '.crt'), days: 1, now });

    const [held, unheld] = [await stack.createAccessKey(), await stack.createAccessKey()];
    await until(async () => (await verdictOn(held)) === 'served');
    t.same((await statusOf(region)).warnings, []);

    await renewed(region, Date.now() - DAY_MS + MINUTE_MS);
    await region.service.reload();
    t.match(
      (await statusOf(region)).warnings,
      [/^the certificate ends at .*: it was to be renewed/],
      'told before the end',
    );
    t.equal(await verdictOn(await stack.createAccessKey()), 'served', 'and good until then');

    const ended = Date.now() - DAY_MS - 2 * MINUTE_MS;
    const expired = await stack.certificates.filesOf({ role: 'region', region: REGION, name: 'r1' }, ended);
    for (const part of ['key', 'cert'] as const) copyFileSync(expired[part], region.files[part]);
    await region.service.reload();
    t.match((await statusOf(region)).warnings, [/^the certificate expired at /]);
    // A certificate is looked at when a connection begins: with a new one of its own, the edge begins anew.
    await renewed(edge, Date.now());
    await edge.service.reload();
    await until(async () => (await statusOf(edge)).regionReachable === false);
    t.equal(await verdictOn(unheld), 'keys-unavailable', 'the edge takes no key from it');
    // Certificates live in real time, so the hour is that of the run: tomorrow has other keys.
    const lastOfToday = Math.floor(clock.now() / DAY_MS + 1) * DAY_MS - 1_000;
    await clock.leapTo(Math.max(clock.now(), Math.min(clock.now() + HOUR_MS, lastOfToday)));
    t.equal(await verdictOn(held), 'served', 'and goes on with those that it has');

    await renewed(region, Date.now());
    await until(async () => (await verdictOn(unheld)) === 'served');
    t.pass('found on the beat: nobody was started again');
    await until(async () => (await statusOf(edge)).regionReachable === true);
    await until(async () => (await statusOf(region)).warnings.length === 0);
    t.pass('and the master takes its reports again');
  },
);
