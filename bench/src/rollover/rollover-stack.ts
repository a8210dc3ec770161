import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoryFor, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import { createFeedKeys, createLedgerKey, type FeedKeysFolder, type LedgerKeyFolder } from '@sigv4-keyd/keydctl';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@sigv4-keyd/local-stack';
import { createAuthority, type Authority } from '@sigv4-keyd/pki';
import { insertAccessKeys } from './made-up-access-keys.js';
import { ProbedProcess } from './probed-process.js';
import { REGION, SERVICE } from './scope.js';

export { REGION, SERVICE };

const TRUST_DOMAIN = 'bench.keyd.example';

/** A certificate and who vouches for it, as the settings of a service. */
export interface IdentitySettings extends Readonly<Record<string, string>> {
  readonly KEYD_TRUST_DOMAIN: string;
  readonly KEYD_TLS_CERT: string;
  readonly KEYD_TLS_KEY: string;
  readonly KEYD_TLS_CA: string;
}

interface Parts {
  readonly folder: string;
  readonly authority: Authority;
  readonly postgres: EmbeddedPostgres;
  readonly feedKeys: FeedKeysFolder;
  readonly ledgerKey: LedgerKeyFolder;
  readonly custodyKey: Buffer;
}

/** PostgreSQL, a master over it, and whatever is started below them: real services in processes of their own. */
export class RolloverStack {
  readonly #parts: Parts;
  readonly #keys: number;
  readonly #running = new Set<ProbedProcess>();
  readonly #identities = new Map<string, Promise<IdentitySettings>>();
  #nextPort: number;

  private constructor(parts: Parts, keys: number, portBase: number) {
    this.#parts = parts;
    this.#keys = keys;
    this.#nextPort = portBase;
  }

  static async create(keys: number, portBase: number): Promise<RolloverStack> {
    const folder = await mkdtemp(join(tmpdir(), 'keyd-bench-'));
    // PostgreSQL, which root starts as somebody else, has its data in here, so that they go with it.
    await chmod(folder, 0o711);
    const now = Date.now();
    return new RolloverStack(
      {
        folder,
        authority: await createAuthority({ folder: join(folder, 'ca'), trustDomain: TRUST_DOMAIN, now }),
        postgres: await startEmbeddedPostgres({ folder: join(folder, 'postgres') }),
        feedKeys: await createFeedKeys(join(folder, 'feed-keys')),
        ledgerKey: await createLedgerKey(join(folder, 'ledger-key'), TRUST_DOMAIN),
        custodyKey: randomBytes(32),
      },
      keys,
      portBase,
    );
  }

  get database(): string {
    return this.#parts.postgres.connectionString('postgres');
  }

  /** A folder of its own, which goes with the stack. */
  folder(name: string): string {
    return join(this.#parts.folder, name);
  }

  get feedKeysFile(): string {
    return this.#parts.feedKeys.public;
  }

  get custodyKey(): Buffer {
    return this.#parts.custodyKey;
  }

  port(): number {
    this.#nextPort += 1;
    return this.#nextPort;
  }

  /** The master, with all access keys in its database. Resolves to its URL. */
  async master(): Promise<{ readonly master: ProbedProcess; readonly url: string }> {
    const { feedKeys, ledgerKey, custodyKey } = this.#parts;
    const [listen, health] = [this.port(), this.port()];
    const master = await this.start('master', mainOf('master-keyd'), health, {
      ...(await this.identity('master/m1')),
      KEYD_LISTEN: `127.0.0.1:${listen}`,
      KEYD_DATABASE_URL: this.database,
      KEYD_CUSTODY_KEY: custodyKey.toString('base64'),
      KEYD_REVOCATION_KEY_FILE: feedKeys.revocation,
      KEYD_BEACON_KEY_FILE: feedKeys.beacon,
      KEYD_LEDGER_KEY_FILE: ledgerKey.signer,
    });
    await master.ready();
    await insertAccessKeys(this.database, custodyKey, this.#keys);
    return { master, url: `https://127.0.0.1:${listen}` };
  }

  async region(
    name: string,
    masterUrl: string,
    prefetch: 'used' | 'all',
  ): Promise<{ readonly region: ProbedProcess; readonly url: string }> {
    const [listen, health] = [this.port(), this.port()];
    const region = await this.start(name, mainOf('region-keyd'), health, {
      ...(await this.identity(`region/${REGION}/${name}`)),
      ...(await this.#below(name, prefetch)),
      KEYD_LISTEN: `127.0.0.1:${listen}`,
      KEYD_MASTERS: masterUrl,
    });
    return { region, url: `https://127.0.0.1:${listen}` };
  }

  /** `settings`: over those that every edge has. */
  async edge(
    name: string,
    regionUrl: string,
    prefetch: 'used' | 'all',
    settings: Readonly<Record<string, string>> = {},
  ): Promise<ProbedProcess> {
    const [front, health] = [this.port(), this.port()];
    return this.start(name, mainOf('edge-verifier'), health, {
      ...(await this.identity(`edge/${REGION}/${SERVICE}/${name}`)),
      ...(await this.#below(name, prefetch)),
      KEYD_REGIONS: regionUrl,
      KEYD_FORWARD_AUTH_LISTEN: `127.0.0.1:${front}`,
      KEYD_EXTERNAL_HOSTS: 'localhost',
      ...settings,
    });
  }

  /** A certificate for `spiffe://…/PATH`, as settings: the same one each time, so that a restart finds its own. */
  identity(path: string): Promise<IdentitySettings> {
    const known = this.#identities.get(path) ?? this.#issue(path);
    this.#identities.set(path, known);
    return known;
  }

  async start(
    name: string,
    script: string,
    healthPort: number,
    env: Readonly<Record<string, string>>,
  ): Promise<ProbedProcess> {
    const started = new ProbedProcess(
      name,
      script,
      {
        KEYD_HEALTH_LISTEN: `127.0.0.1:${healthPort}`,
        KEYD_FEED_KEYS_FILE: this.#parts.feedKeys.public,
        ...env,
      },
      healthPort,
    );
    this.#running.add(started);
    return Promise.resolve(started);
  }

  async stop(...processes: readonly ProbedProcess[]): Promise<void> {
    await Promise.all(processes.map((one) => one.stop()));
    for (const one of processes) this.#running.delete(one);
  }

  async close(): Promise<void> {
    await this.stop(...this.#running);
    await this.#parts.postgres.stop();
    await rm(this.#parts.folder, { recursive: true, force: true });
  }

  async #issue(path: string): Promise<IdentitySettings> {
    const { authority, folder } = this.#parts;
    const { cert, key, ca } = await authority.issue({
      spiffeId: `spiffe://${TRUST_DOMAIN}/${path}`,
      ipAddresses: ['127.0.0.1'],
      folder: join(folder, path.replaceAll('/', '-')),
      now: Date.now(),
    });
    return { KEYD_TRUST_DOMAIN: TRUST_DOMAIN, KEYD_TLS_CERT: cert, KEYD_TLS_KEY: key, KEYD_TLS_CA: ca };
  }

  async #below(name: string, prefetch: string): Promise<Readonly<Record<string, string>>> {
    const state = join(this.#parts.folder, 'state', name);
    await mkdir(state, { recursive: true });
    // With room to spare: what is measured is what the keys take, not what the bound allows.
    const window = { longestPresignedSeconds: 7 * 86_400, clockSkewSeconds: 900 };
    const memory = memoryFor(Math.max(2_000, this.#keys * 1.1), { window, keyBytes: SERVICE_KEYS.keyBytes });
    return {
      KEYD_STATE_FOLDER: state,
      KEYD_LEDGER_KEYS_FILE: this.#parts.ledgerKey.verifier,
      KEYD_KEY_MEMORY: `${Math.ceil(memory / 1024 ** 2)}MiB`,
      KEYD_PREFETCH: prefetch,
    };
  }
}

function mainOf(service: string): string {
  return fileURLToPath(new URL('main.js', import.meta.resolve(`@sigv4-keyd/${service}`)));
}
