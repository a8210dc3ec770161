import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { ACCESS_KEY_ID, SECRET } from '../edge-verifier/client.js';
import { startEdge } from '../edge-verifier/edge-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { ObjectStore } from '../support/object-store.js';

/**
 * Clients of today, uploading over HTTPS to an edge whose payload modes are those by default, before an object store
 * that knows no chunks. They frame bodies in chunks, with a checksum behind them. What is not installed is skipped.
 */
const run = promisify(execFile);
const SMALL = Buffer.from('what was signed is what is served\n');
const LARGE = randomBytes(17 * 1024 * 1024);
const TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

t.setTimeout(300_000);
const folder = mkdtempSync(join(tmpdir(), 'uploads-'));
const authority = await TestAuthority.create(folder);
const tls = await authority.files('spiffe://keyd.test/edge/eu-west-1/s3/public');
const port = await freePort();
const endpoint = `https://localhost:${port}`;
const store = await ObjectStore.start();
const edge = await startEdge(t, {
  now: Date.now(),
  env: {
    KEYD_PROXY_TLS_LISTEN: `127.0.0.1:${port}`,
    KEYD_PROXY_TLS_CERT: tls.cert,
    KEYD_PROXY_TLS_KEY: tls.key,
    KEYD_EXTERNAL_HOSTS: `localhost:${port}`,
    KEYD_UPSTREAM: store.url,
  },
});
t.teardown(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});
const files = new Map([SMALL, LARGE].map((data, at) => [join(folder, `data-${at}`), data]));
for (const [path, data] of files) writeFileSync(path, data);

function missing(program: string, args: readonly string[] = ['--version']): string | false {
  try {
    execFileSync(program, [...args], { stdio: 'ignore' });
    return false;
  } catch {
    return `${program} ${args.join(' ')} does not run on this machine`;
  }
}

/** Runs a client, and gives what it printed. Rejects when it fails. */
async function client(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout, stderr } = await run(program, [...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      AWS_ACCESS_KEY_ID: ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY: SECRET,
      AWS_REGION: 'eu-west-1',
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_MAX_ATTEMPTS: '1',
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    },
  });
  return stdout + stderr;
}

/** The payload modes of the uploads since the last call. */
function modesOfUploads(): readonly unknown[] {
  const uploads = store.requests.splice(0).filter(({ method }) => method === 'PUT');
  for (const { headers } of uploads) {
    if ('x-amz-trailer' in headers || headers['content-encoding'] !== undefined) throw new Error('framing is left');
  }
  return [...new Set(uploads.map(({ headers }) => headers['x-keyd-payload-sha256']))];
}

function checkStored(t: Test, key: string, data: Buffer, name: string): readonly unknown[] {
  t.ok(store.objects.get(`/bucket/${key}`)?.equals(data), `${name}: every byte is there`);
  return modesOfUploads();
}

t.test('the AWS CLI', { skip: missing('aws') }, async (t) => {
  t.comment(await client('aws', ['--version']));
  const aws = (...args: readonly string[]): Promise<string> =>
    client('aws', ['--endpoint-url', endpoint, '--ca-bundle', tls.ca, ...args]);
  for (const [path, data] of files) {
    await aws('s3', 'cp', path, 's3://bucket/copied');
    checkStored(t, 'copied', data, `s3 cp of ${data.length} bytes`);
    for (const algorithm of data === SMALL ? ['CRC32', 'SHA1', 'SHA256'] : ['CRC32']) {
      const put = ['s3api', 'put-object', '--bucket', 'bucket', '--key', 'put', '--body', path];
      await aws(...put, '--checksum-algorithm', algorithm);
      t.strictSame(checkStored(t, 'put', data, `put-object with ${algorithm}`), [TRAILER]);
    }
  }
});

t.test('boto3', { skip: missing('python3', ['-c', 'import boto3']) }, async (t) => {
  const program = `
import boto3, sys
s3 = boto3.client('s3', endpoint_url=sys.argv[1], verify=sys.argv[3])
path = sys.argv[2]
s3.upload_file(path, 'bucket', 'uploaded')
s3.put_object(Bucket='bucket', Key='streamed', Body=open(path, 'rb'), ChecksumAlgorithm='SHA256')
s3.put_object(Bucket='bucket', Key='bytes', Body=open(path, 'rb').read(), ChecksumAlgorithm='CRC32')
print(boto3.__version__)
`;
  for (const [path, data] of files) {
    t.comment(await client('python3', ['-c', program, endpoint, path, tls.ca]));
    for (const key of ['uploaded', 'streamed']) t.ok(store.objects.get(`/bucket/${key}`)?.equals(data), key);
    t.strictSame(checkStored(t, 'bytes', data, 'put_object'), [TRAILER]);
  }
});

t.test('the JavaScript SDK, with every checksum that the edge knows', async (t) => {
  for (const [path, data] of files) {
    store.objects.clear();
    const program = join(import.meta.dirname, 'sdk-uploads.js');
    await client(process.execPath, [program, endpoint, path], { NODE_EXTRA_CA_CERTS: tls.ca });
    t.equal(store.objects.size, data === SMALL ? 12 : 4);
    for (const [key, object] of store.objects) t.ok(object.equals(data), `${key}, ${data.length} bytes`);
    t.ok(modesOfUploads().includes(TRAILER), 'streams come in chunks');
  }
});

t.test('nothing was refused on the way', (t) => {
  t.ok(edge.log.some((line) => line.includes('request-accepted')));
  t.strictSame(
    edge.log.filter((line) => line.includes('request-refused')),
    [],
  );
  t.end();
});
