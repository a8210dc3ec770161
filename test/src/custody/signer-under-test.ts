import { configuration, startCustodySigner, type SignerContext } from '@sigv4-keyd/custody-signer';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import {
  createSignerKey,
  identityOf,
  parseSignerPublicKey,
  PeerClient,
  type Identity,
  type SignerKeyFiles,
  type SignerPublicKey,
} from '@sigv4-keyd/hop-protocol';
import {
  DatabaseHosts,
  externalCustody,
  fileCustody,
  openPool,
  SignerCalls,
  SignerClient,
  type Custody,
  type Resealing,
} from '@sigv4-keyd/master-keyd';
import { readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import { createSecretKey } from 'node:crypto';
import type { Test } from 'tap';
import { capturedLog, NOON } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN, type TestAuthority } from '../support/certificates.js';
import { newStateFolder } from '../support/state-folder.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

export interface SignerOptions {
  readonly authority: TestAuthority;
  readonly key?: SignerKeyFiles;
  readonly before?: SignerKeyFiles;
  readonly clock?: VirtualClock;
  readonly stateFolder?: string;
  readonly makeDurable?: NonNullable<SignerContext['makeDurable']>;
  readonly port?: number;
}

/** A signer over real mTLS, in this process, and those who call it. */
export interface SignerUnderTest {
  readonly service: RunningService;
  readonly key: SignerKeyFiles;
  readonly clock: VirtualClock;
  readonly url: URL;
  readonly stateFolder: string;
  readonly logged: readonly string[];
  readonly clientOf: (identity: WithoutTrustDomain<Identity>) => Promise<PeerClient>;
}

type WithoutTrustDomain<I> = I extends Identity ? Omit<I, 'trustDomain'> : never;

export async function startSigner(t: Test, options: SignerOptions): Promise<SignerUnderTest> {
  const { authority, makeDurable, port = 0 } = options;
  const clock = options.clock ?? new VirtualClock(NOON);
  const key = options.key ?? createSignerKey();
  const stateFolder = options.stateFolder ?? newStateFolder(t);
  const { log, logged } = capturedLog();
  const env = await signerEnvironment(authority, { key, before: options.before, stateFolder, port });
  const service = await startCustodySigner(readConfiguration(configuration, env), {
    ...{ clock, log },
    ...(makeDurable && { makeDurable }),
  });
  t.teardown(() => service.close());
  const url = new URL(`https://${service.addresses['hop'] ?? ''}`);
  return {
    ...{ service, key, clock, url, stateFolder, logged },
    async clientOf(identity) {
      const credentials = await authority.credentials(identity);
      const agent = createMtlsAgent({
        credentials,
        timer: STANDING_TIMER,
        acceptsServer: (id) => identityOf(id)?.role === 'signer',
      });
      t.teardown(() => agent.close());
      return new PeerClient({ urls: [url], dispatcher: agent, timer: STANDING_TIMER });
    },
  };
}

/** The environment of a signer that lacks nothing. */
export async function signerEnvironment(
  authority: TestAuthority,
  given: {
    readonly key: SignerKeyFiles;
    readonly before?: SignerKeyFiles | undefined;
    readonly stateFolder: string;
    readonly port: number;
  },
): Promise<Record<string, string>> {
  const files = await authority.filesOf({ role: 'signer', name: 's1' });
  return {
    KEYD_TRUST_DOMAIN: TRUST_DOMAIN,
    KEYD_TLS_CERT: files.cert,
    KEYD_TLS_KEY: files.key,
    KEYD_TLS_CA: files.ca,
    KEYD_LISTEN: `127.0.0.1:${given.port}`,
    KEYD_HEALTH_LISTEN: '127.0.0.1:0',
    KEYD_METRICS_LISTEN: '127.0.0.1:0',
    KEYD_STATE_FOLDER: given.stateFolder,
    KEYD_SIGNER_KEY: given.key.privateJwk,
    ...(given.before && { KEYD_SIGNER_KEY_BEFORE: given.before.privateJwk }),
  };
}

/** What makes a master ask signers for all that it derives. */
export function externalSettings(
  urls: readonly URL[],
  key: SignerKeyFiles,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    KEYD_CUSTODY: 'external',
    KEYD_CUSTODY_KEY: '',
    KEYD_SIGNERS: urls.map(({ origin }) => origin).join(','),
    KEYD_SIGNER_KEY: key.publicJwk,
    ...more,
  };
}

export interface KeeperOptions {
  readonly authority: TestAuthority;
  /** With the schema of a master. */
  readonly database: string;
  readonly urls: readonly URL[];
  readonly key: SignerKeyFiles;
  readonly before?: SignerKeyFiles;
  readonly fileKey?: Buffer;
  readonly clock?: VirtualClock;
}

/** The keeper as a master has it, without the rest of the master. */
export async function externalKeeper(t: Test, options: KeeperOptions): Promise<Custody & Resealing> {
  const { authority, database, urls, key, before, fileKey } = options;
  const { log } = capturedLog();
  const credentials = await authority.credentials({ role: 'master', name: 'm1' });
  const dispatcher = createMtlsAgent({
    credentials,
    timer: STANDING_TIMER,
    acceptsServer: (id) => identityOf(id)?.role === 'signer',
  });
  t.teardown(() => dispatcher.close());
  const records = openPool(DatabaseHosts.of(database), log);
  t.teardown(() => records.end());
  const clock = options.clock ?? new VirtualClock(NOON);
  const client = new SignerClient({ urls, dispatcher, records, credentials, clock, timer: STANDING_TIMER, log });
  return externalCustody({
    signerKey: publicHalf(key),
    signerKeyBefore: before && publicHalf(before),
    fileCustody: fileKey && fileCustody(createSecretKey(fileKey)),
    calls: new SignerCalls(client),
  });
}

function publicHalf({ publicJwk }: SignerKeyFiles): SignerPublicKey {
  const key = parseSignerPublicKey(publicJwk);
  if (!key) throw new Error('what was made is read');
  return key;
}
