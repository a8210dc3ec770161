import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import type { Test } from 'tap';
import { HOST, send, signed } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { keydctl, type Result } from '../keydctl/keydctl-under-test.js';
import { environment } from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { freshDatabase } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { LEDGER_KEYS } from '../support/test-ledger.js';
import { tierSettings } from '../support/tier-settings.js';
import { until } from '../support/victim.js';
import type { ReleasePrograms, Service } from './release-programs.js';
import { ReplaceableTier } from './replaceable-tier.js';

export const REGION = 'us-east-1';
export const SERVICE = 's3';

/** The exit code of keydctl when no master answers. */
const OUT_OF_REACH = 69;

export interface Master {
  readonly tier: ReplaceableTier;
  readonly url: string;
}

export interface Edge {
  readonly tier: ReplaceableTier;
  /** `served`, or the reason of the refusal. Rejects where nobody answers. */
  readonly verdictOn: (accessKey: CreatedAccessKey) => Promise<string>;
}

/** Two masters, a region and two edges, none of them started yet. */
export interface MixedTiers {
  readonly masters: readonly [Master, Master];
  readonly region: ReplaceableTier;
  readonly edges: readonly [Edge, Edge];
  /** A file with the public key of the ledger. */
  readonly ledgerKeyFile: string;
  /** The operator's program is of the older release, which the masters of both must understand. */
  readonly keydctl: (master: Master, ...args: readonly string[]) => Promise<Record<string, unknown>>;
}

export async function mixedTiers(t: Test, { runKeydctl: run }: ReleasePrograms): Promise<MixedTiers> {
  const authority = await TestAuthority.create(newStateFolder(t));
  const folder = newStateFolder(t);
  const tier = async (
    service: Service,
    name: string,
    env: Readonly<Record<string, string>>,
  ): Promise<ReplaceableTier> =>
    new ReplaceableTier(t, { service, env, health: await address(), logFile: join(folder, `${name}.log`) });
  const stateFolderOf = (name: string): string => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };

  const given = { database: await freshDatabase(t), custodyKey: randomBytes(32) };
  const ofMasters = await environment(authority, given);
  const master = async (name: string): Promise<Master> => {
    const listen = await address();
    const env = { ...(await environment(authority, { ...given, name })), KEYD_LISTEN: listen };
    return { tier: await tier('master-keyd', name, env), url: `https://${listen}` };
  };
  const masters = [await master('m1'), await master('m2')] as const;

  const feedKeys = ofMasters['KEYD_FEED_KEYS'] ?? '';
  const regionListen = await address();
  const region = await tier('region-keyd', 'r1', {
    ...tierSettings(
      await authority.filesOf({ role: 'region', region: REGION, name: 'r1' }),
      feedKeys,
      stateFolderOf('r1'),
    ),
    KEYD_LISTEN: regionListen,
    KEYD_MASTERS: masters.map(({ url }) => url).join(','),
  });

  const upstream = await RecordingUpstream.start();
  t.teardown(() => upstream.close());
  const edge = async (name: string): Promise<Edge> => {
    const files = await authority.filesOf({ role: 'edge', region: REGION, service: SERVICE, name });
    const proxy = await address();
    const env = {
      ...tierSettings(files, feedKeys, stateFolderOf(name)),
      KEYD_REGIONS: `https://${regionListen}`,
      KEYD_EXTERNAL_HOSTS: HOST,
      KEYD_PROXY_LISTEN: proxy,
      KEYD_UPSTREAM: upstream.url,
    };
    return {
      tier: await tier('edge-verifier', name, env),
      async verdictOn({ accessKeyId, secretAccessKey: secret }) {
        const draft = { accessKeyId, secret, region: REGION, service: SERVICE, now: Date.now() };
        const { status, headers } = await send(proxy, signed(draft));
        return status === 200 ? 'served' : String(headers['x-keyd-reason']);
      },
    };
  };

  const ledgerKeyFile = join(folder, 'ledger.pub');
  writeFileSync(ledgerKeyFile, LEDGER_KEYS);
  const operator = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  return {
    masters,
    region,
    ledgerKeyFile,
    edges: [await edge('e1'), await edge('e2')],
    async keydctl({ url }, ...args) {
      const call = { run, env: { KEYD_MASTER: url, KEYD_CREDENTIALS: operator } };
      let result: Result | undefined;
      // A machine that stood still for seconds looks like a master out of reach; the operator tries again.
      await until(async () => (result = await keydctl([...args, '--json'], call)).code !== OUT_OF_REACH);
      const { code = 0, out = '', err = '' } = result ?? {};
      if (code !== 0) throw new Error(`keydctl ${args.join(' ')} ended with ${code}: ${err}`);
      return JSON.parse(out) as Record<string, unknown>;
    },
  };
}

const address = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
