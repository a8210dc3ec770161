import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { configuration as edgeConfiguration, startEdgeVerifier } from '@sigv4-keyd/edge-verifier';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { configuration as masterConfiguration, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { openAuthority, type Authority } from '@sigv4-keyd/pki';
import { configuration as regionConfiguration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import { createLogger, readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import type { Test } from 'tap';
import { HOST, signed, type Message } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { keydctlJson } from '../keydctl/keydctl-under-test.js';
import { environment } from '../master-keyd/master-under-test.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { freshDatabase } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

export const REGION = 'eu-west-1';
const SERVICE = 's3';

export type Tier = 'master' | 'region' | 'edge';

export interface TierWithFiles {
  readonly service: RunningService;
  readonly files: TlsFiles;
}

/** One of each tier with files that a test renews; all three fronts of the edge; real mTLS and PostgreSQL. */
export interface RenewingTiers {
  readonly clock: LeapingClock;
  readonly folder: string;
  readonly authority: Authority;
  readonly certificates: TestAuthority;
  readonly tiers: Readonly<Record<Tier, TierWithFiles>>;
  /** What clients of the edge's TLS front see. */
  readonly publicFiles: TlsFiles;
  readonly createAccessKey: () => Promise<CreatedAccessKey>;
  readonly signedWith: (accessKey: CreatedAccessKey) => Message;
}

export async function startRenewingTiers(t: Test): Promise<RenewingTiers> {
  const clock = new LeapingClock(Date.now());
  const folder = newStateFolder(t);
  const certificates = await TestAuthority.create(folder);
  const authority = await openAuthority({ folder: join(folder, 'ca') });
  const context = {
    clock,
    log: createLogger({ service: 'renewals', level: 'silent' }),
    timer: STANDING_TIMER,
    random: () => 0.5,
  };
  const env = await environment(certificates, { database: await freshDatabase(t), custodyKey: randomBytes(32) });
  const upstream = await RecordingUpstream.start();
  const below = (files: TlsFiles): Record<string, string> =>
    tierSettings(files, env['KEYD_FEED_KEYS'] ?? '', newStateFolder(t));
  const stops: (() => Promise<unknown>)[] = [() => upstream.close()];
  t.teardown(async () => {
    for (const stop of stops.toReversed()) await stop();
  });
  const running = (service: RunningService, files: TlsFiles): TierWithFiles => {
    stops.push(() => service.close());
    return { service, files };
  };

  const masterFiles = {
    cert: env['KEYD_TLS_CERT'] ?? '',
    key: env['KEYD_TLS_KEY'] ?? '',
    ca: env['KEYD_TLS_CA'] ?? '',
  };
  const master = running(await startMasterKeyd(readConfiguration(masterConfiguration, env), context), masterFiles);
  const masterUrl = `https://${master.service.addresses['hop'] ?? ''}`;

  const regionFiles = await certificates.filesOf({ role: 'region', region: REGION, name: 'r1' });
  const regionSettings = readConfiguration(regionConfiguration, {
    ...below(regionFiles),
    KEYD_LISTEN: '127.0.0.1:0',
    KEYD_MASTERS: masterUrl,
  });
  const region = running(await startRegionKeyd(regionSettings, context), regionFiles);

  const publicFiles = await certificates.files(`spiffe://${TRUST_DOMAIN}/public`);
  const edgeFiles = await certificates.filesOf({ role: 'edge', region: REGION, service: SERVICE, name: 'e1' });
  const edgeSettings = readConfiguration(edgeConfiguration, {
    ...below(edgeFiles),
    KEYD_REGIONS: `https://${region.service.addresses['hop'] ?? ''}`,
    KEYD_EXTERNAL_HOSTS: HOST,
    KEYD_PROXY_LISTEN: '127.0.0.1:0',
    KEYD_PROXY_TLS_LISTEN: '127.0.0.1:0',
    KEYD_PROXY_TLS_CERT: publicFiles.cert,
    KEYD_PROXY_TLS_KEY: publicFiles.key,
    KEYD_FORWARD_AUTH_LISTEN: '127.0.0.1:0',
    KEYD_FORWARD_AUTH_FROM: 'request-line',
    KEYD_UPSTREAM: upstream.url,
  });
  const edge = running(await startEdgeVerifier(edgeSettings, context), edgeFiles);

  const operator = dirname((await certificates.filesOf({ role: 'operator', name: 'alice' })).cert);
  const call = { env: { KEYD_MASTER: masterUrl, KEYD_CREDENTIALS: operator } };
  return {
    clock,
    folder,
    authority,
    certificates,
    tiers: { master, region, edge },
    publicFiles,
    createAccessKey: () =>
      keydctlJson(['access-key', 'create', '--owner', 'renewals'], call) as unknown as Promise<CreatedAccessKey>,
    signedWith: ({ accessKeyId, secretAccessKey }) =>
      signed({
        accessKeyId,
        secret: secretAccessKey,
        region: REGION,
        service: SERVICE,
        now: clock.now(),
      }),
  };
}
