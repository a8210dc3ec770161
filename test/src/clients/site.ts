import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { startEdge, type EdgeUnderTest } from '../edge-verifier/edge-under-test.js';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { programOnPort } from '../support/program-on-port.js';

/** An S3-like store behind an edge, for clients as they come. */
export interface Site {
  readonly http: string;
  readonly https: string;
  /** The same store behind an edge whose clock is twenty minutes ahead: to it, every client's clock is wrong. */
  readonly skewed: string;
  /** PEM file of the authority that signed the certificate of `https` and `skewed`. */
  readonly ca: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly bucket: string;
  /** The store itself, which asks for no signature. */
  readonly store: string;
  /** Reasons of the refusals since the last call. */
  readonly refusals: () => readonly string[];
  /** For the client's own files. */
  readonly folder: string;
}

const SKEW_MS = 20 * 60_000;
const BUCKET = 'bucket';
/** The account that s3rver knows: it looks at presigned URLs itself, since the edge passes them on byte for byte. */
const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

export async function startSite(t: Test): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-clients-'));
  const store = await startStore(t, join(folder, 'store'));
  const authority = await TestAuthority.create(folder);
  const { cert, key, ca } = await authority.files(`spiffe://${TRUST_DOMAIN}/public`);
  const start = async (now: number): Promise<EdgeUnderTest & { readonly plain: string; readonly tls: string }> => {
    const [plain, tls] = [await freePort(), await freePort()];
    const edge = await startEdge(t, {
      now,
      env: {
        KEYD_UPSTREAM: store,
        KEYD_POST_FORMS: 'yes',
        KEYD_PAYLOAD_MODES: 'exact,body,unsigned,streaming-signed,streaming-signed-trailer,streaming-unsigned-trailer',
        KEYD_EXTERNAL_HOSTS: [plain, tls].flatMap((port) => [`127.0.0.1:${port}`, `localhost:${port}`]).join(','),
        KEYD_PROXY_LISTEN: `127.0.0.1:${plain}`,
        KEYD_PROXY_TLS_LISTEN: `127.0.0.1:${tls}`,
        KEYD_PROXY_TLS_CERT: cert,
        KEYD_PROXY_TLS_KEY: key,
      },
    });
    edge.parent.secrets.set(CREDENTIALS.accessKeyId, CREDENTIALS.secretAccessKey);
    return { ...edge, plain: `http://127.0.0.1:${plain}`, tls: `https://127.0.0.1:${tls}` };
  };
  const edge = await start(Date.now());
  const skewed = await start(Date.now() + SKEW_MS);
  // After the edges: teardown goes backwards.
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return {
    http: edge.plain,
    https: edge.tls,
    skewed: skewed.tls,
    ca,
    ...CREDENTIALS,
    region: 'eu-west-1',
    bucket: BUCKET,
    store,
    folder,
    refusals: () => [edge, skewed].flatMap(({ log }) => reasonsIn(log.splice(0))),
  };
}

function reasonsIn(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    const { event, reason } = JSON.parse(line) as { readonly event?: string; readonly reason?: string };
    return event === 'request-refused' && reason !== undefined ? [reason] : [];
  });
}

/** s3rver: a store of its own making, which knows nothing of this project. */
async function startStore(t: Test, folder: string): Promise<string> {
  const program = join(dirname(createRequire(import.meta.url).resolve('s3rver/package.json')), 'bin', 's3rver.js');
  const port = await freePort();
  const args = [program, '-d', folder, '-a', '127.0.0.1', '-p', String(port), '--silent', '--configure-bucket', BUCKET];
  await programOnPort(t, { program: process.execPath, args, port });
  return `http://127.0.0.1:${port}`;
}

/** Twenty mebibytes: more than one part, more than one chunk, in every client. */
export const LARGE = randomBytes(1024)
  .toString('base64')
  .repeat(15_000)
  .slice(0, 20 * 1024 * 1024);
