import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import { createMtlsAgent, CredentialsStore, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import {
  createSignerKey,
  DERIVATIONS_PATH,
  derivationAnswer,
  MOST_SECRETS_A_CALL,
  parseSignerPublicKey,
  PeerClient,
  sealForSigner,
  type DerivationRequest,
} from '@sigv4-keyd/hop-protocol';
import { createAuthority } from '@sigv4-keyd/pki';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import type { BenchPart } from '../bench-part.js';
import { quantile } from '../distribution.js';
import type { Measured } from '../measured.js';

const TRUST_DOMAIN = 'keyd.bench';
/** As many calls as a master has under way. */
const AT_A_TIME = 4;

const KEYS = { whole: 50_000, quick: 5_000, tiny: 1 } as const;

export const part: BenchPart = {
  about: 'how many kDates an external signer gives a second',
  goals: [],
  run: ({ scale, keys, portBase }) => benchCustodySigner(keys ?? KEYS[scale], portBase),
};

/** A signer in a process of its own, over mTLS, each call counted on disk. */
async function benchCustodySigner(keys: number, portBase: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'keyd-bench-signer-'));
  try {
    const now = Date.now();
    const authority = await createAuthority({ folder: join(folder, 'ca'), trustDomain: TRUST_DOMAIN, now });
    const filesOf = (path: string): Promise<TlsFiles> =>
      authority.issue({
        spiffeId: `spiffe://${TRUST_DOMAIN}/${path}`,
        ipAddresses: ['127.0.0.1'],
        folder: join(folder, path.replaceAll('/', '-')),
        now,
      });
    const key = createSignerKey();
    const stateFolder = join(folder, 'state');
    await mkdir(stateFolder);
    const { cert, key: tlsKey, ca } = await filesOf('signer/s1');
    const signer = spawn(process.execPath, [mainOf()], {
      env: {
        KEYD_TRUST_DOMAIN: TRUST_DOMAIN,
        KEYD_TLS_CERT: cert,
        KEYD_TLS_KEY: tlsKey,
        KEYD_TLS_CA: ca,
        KEYD_LISTEN: `127.0.0.1:${portBase}`,
        KEYD_HEALTH_LISTEN: `127.0.0.1:${portBase + 1}`,
        KEYD_STATE_FOLDER: stateFolder,
        KEYD_SIGNER_KEY: key.privateJwk,
        // Without the word of what is not confined here.
        KEYD_LOG_LEVEL: 'error',
      },
      stdio: 'inherit',
    });
    try {
      const credentials = await CredentialsStore.open(await filesOf('master/m1'));
      await untilReady(signer, `http://127.0.0.1:${portBase + 1}/health/ready`);
      return await measure({
        credentials,
        url: new URL(`https://127.0.0.1:${portBase}`),
        publicJwk: key.publicJwk,
        keys,
      });
    } finally {
      await stop(signer);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(of: {
  readonly credentials: CredentialsStore;
  readonly url: URL;
  readonly publicJwk: string;
  readonly keys: number;
}): Promise<Measured> {
  const signerKey = parseSignerPublicKey(of.publicJwk);
  if (!signerKey) throw new Error('a made key is read');
  const secrets: DerivationRequest['secrets'] = [];
  for (let n = 0; n < MOST_SECRETS_A_CALL; n += 1) {
    const name = { accessKeyId: `AKIABENCH${n}`, version: 1 };
    const secret = Buffer.from(randomUUID());
    secrets.push({ ...name, sealed: await sealForSigner(signerKey, name, secret) });
  }
  const dispatcher = createMtlsAgent({
    credentials: of.credentials,
    acceptsServer: ({ segments }) => segments[0] === 'signer',
  });
  const client = new PeerClient({ urls: [of.url], dispatcher });
  const ask = async (): Promise<number> => {
    const body = { call: randomUUID(), want: 'kDate', date: scopeDateOf(Date.now()), secrets };
    const begun = performance.now();
    await client.call({ method: 'POST', path: DERIVATIONS_PATH, body, answer: derivationAnswer });
    return performance.now() - begun;
  };
  await ask();
  const calls = Math.ceil(of.keys / MOST_SECRETS_A_CALL);
  const took: number[] = [];
  const begun = performance.now();
  let left = calls;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      took.push(await ask());
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const seconds = (performance.now() - begun) / 1000;
  await dispatcher.close();
  const table = {
    title: `${calls * MOST_SECRETS_A_CALL} kDates by one signer, ${MOST_SECRETS_A_CALL} a call, ${AT_A_TIME} calls at a time`,
    head: ['kDates a second', 'a call, p50, ms', 'p99, ms'],
    rows: [[(calls * MOST_SECRETS_A_CALL) / seconds, quantile(took, 0.5), quantile(took, 0.99)]],
    notes: [],
  };
  return { tables: [table], figures: {}, plots: [] };
}

function mainOf(): string {
  return fileURLToPath(new URL('main.js', import.meta.resolve('@sigv4-keyd/custody-signer')));
}

async function stop(signer: ChildProcess): Promise<void> {
  if (hasEnded(signer)) return;
  const ended = once(signer, 'exit');
  signer.kill();
  await ended;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function untilReady(signer: ChildProcess, url: string): Promise<void> {
  for (;;) {
    if (hasEnded(signer)) throw new Error('the signer ended; what it said stands above');
    const isReady = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await pause(50);
  }
}
