import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { configuration } from '@sigv4-keyd/edge-verifier';
import { ConfigurationError, readConfiguration, StartError } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { HOST, send, signed } from './client.js';
import { environmentOf, startEdge } from './edge-under-test.js';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfiguration(configuration, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

function without(environment: Record<string, string>, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}

t.test('a complete configuration has its defaults', (t) => {
  const settings = readConfiguration(configuration, environmentOf(t.testdir()));
  t.match(settings, {
    presigned: true,
    payloadModes: 'auto',
    unnormalisedPaths: false,
    forwardAuthorization: false,
    forwardAuthFrom: 'x-original',
    forwardAuthBodies: 'refused',
    answerShape: 'auto',
    largestBody: 5 * 1024 ** 3,
    bodyInMemory: 1024 ** 2,
    bodyIdle: 60,
    keyMemory: 1024 ** 3,
    externalHosts: [HOST, `*.${HOST}`],
  });
  t.end();
});

t.test('each required setting is missed by its name', (t) => {
  const complete = environmentOf(t.testdir());
  for (const name of ['TRUST_DOMAIN', 'TLS_CERT', 'TLS_KEY', 'TLS_CA', 'REGIONS', 'EXTERNAL_HOSTS']) {
    t.strictSame(problemsOf(without(complete, `KEYD_${name}`)), [`KEYD_${name} is missing`]);
  }
  t.end();
});

t.test('each malformed value is named with what it has to be', (t) => {
  const folder = t.testdir({ file: '' });
  const complete = environmentOf(folder);
  const malformed: Readonly<Record<string, readonly string[]>> = {
    REGIONS: ['http://region:8443', 'region', 'https://region/path', 'https://a,,https://b'],
    EXTERNAL_HOSTS: [
      'http://a.example',
      'a.example/path',
      '*',
      '*.',
      'a.*.example',
      'a,,b',
      'a b',
      'a:port',
      '*.[::1]',
    ],
    PROXY_LISTEN: ['8080', '127.0.0.1', '127.0.0.1:99999', 'a:b'],
    FORWARD_AUTH_LISTEN: ['8080'],
    UPSTREAM: ['upstream:80', 'ftp://upstream', 'http://upstream/path', 'http://user@upstream'],
    PRESIGNED: ['true', 'YES'],
    PAYLOAD_MODES: ['all', 'exact,,body', 'auto,exact', 'streaming-events', 'streaming-ecdsa', 'UNSIGNED-PAYLOAD'],
    CHUNKED_UPSTREAM: ['raw'],
    LARGEST_CHUNK: ['4'],
    UNNORMALISED_PATHS: ['maybe'],
    FORWARD_AUTHORIZATION: ['on'],
    FORWARD_AUTH_BODIES: ['accepted'],
    FORWARD_AUTH_FROM: ['both'],
    ANSWER_SHAPE: ['xml'],
    LARGEST_BODY: ['5', '5GB', '-1B', '1e3B'],
    BODY_IN_MEMORY: ['many'],
    SPOOL_FOLDER: ['/nowhere/at/all', join(folder, 'file')],
    BODY_IDLE: ['60', '0s'],
    UPSTREAM_TIMEOUT: ['0s', 'soon'],
    KEY_MEMORY: ['1000000', '1GB', '800KiB'],
    LONGEST_PRESIGNED: ['8d', '0s'],
    CLOCK_SKEW: ['0s', '2h'],
    TLS_CERT: ['/nowhere.pem'],
  };
  for (const [name, values] of Object.entries(malformed)) {
    for (const value of values) {
      const problems = problemsOf({ ...complete, [`KEYD_${name}`]: value });
      t.equal(problems.length, 1, `${name}=${value}: one problem`);
      t.match(problems[0], new RegExp(`^KEYD_${name} .*(must|Invalid)`), `${name}=${value}: ${problems[0] ?? ''}`);
    }
  }
  t.end();
});

t.test('settings that contradict each other, and all problems at once', (t) => {
  const complete = environmentOf(t.testdir());
  const { KEYD_UPSTREAM: upstream = '' } = complete;
  const neither = without(complete, 'KEYD_PROXY_LISTEN', 'KEYD_UPSTREAM');
  t.match(problemsOf(neither), [/^nothing to serve/]);
  t.strictSame(problemsOf({ ...neither, KEYD_FORWARD_AUTH_LISTEN: '127.0.0.1:0' }), []);
  t.match(problemsOf({ ...neither, KEYD_PROXY_LISTEN: '127.0.0.1:0' }), [/^KEYD_UPSTREAM is missing/]);
  const orphan = problemsOf({ ...neither, KEYD_FORWARD_AUTH_LISTEN: ':0', KEYD_UPSTREAM: upstream });
  t.match(orphan, [/^KEYD_UPSTREAM is set without/]);
  const pem = complete['KEYD_TLS_CERT'] ?? '';
  for (const part of [{ KEYD_PROXY_TLS_LISTEN: ':0' }, { KEYD_PROXY_TLS_CERT: pem }, { KEYD_PROXY_TLS_KEY: pem }]) {
    t.match(problemsOf({ ...complete, ...part }), [/belong together/]);
  }
  const sizes = { KEYD_BODY_IN_MEMORY: '2MiB', KEYD_LARGEST_BODY: '1MiB' };
  t.match(problemsOf({ ...complete, ...sizes }), [/^KEYD_BODY_IN_MEMORY must not be above/]);
  const chunks = { KEYD_SMALLEST_CHUNK: '2MiB', KEYD_LARGEST_CHUNK: '1MiB' };
  t.match(problemsOf({ ...complete, ...chunks }), [/^KEYD_SMALLEST_CHUNK must not be above/]);
  const forms = { KEYD_POST_FORMS: 'yes', KEYD_PRESIGNED: 'no' };
  t.match(problemsOf({ ...complete, ...forms }), [/^KEYD_POST_FORMS=yes needs KEYD_PRESIGNED=yes/]);
  t.match(
    problemsOf({ ...complete, KEYD_REGION: 'eu-west-1' }),
    [/^KEYD_REGION is not a setting/],
    'the certificate says it',
  );
  const many = problemsOf({ KEYD_PRESIGNED: 'maybe', KEYD_PROXY_TLS_LISTEN: ':0', ...sizes });
  const parts = ['TRUST_DOMAIN', 'REGIONS', 'PRESIGNED', 'belong together', 'UPSTREAM', 'BODY_IN_MEMORY'];
  for (const part of parts) {
    t.ok(
      many.some((problem) => problem.includes(part)),
      `${part} is told with the others`,
    );
  }
  t.end();
});

/** The certificate that a TLS server shows now, and the connection that it was shown on. */
function shownBy(t: Test, address: string): Promise<{ readonly fingerprint: string; readonly socket: TLSSocket }> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve({ fingerprint: createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex'), socket });
    });
    socket.on('error', reject);
    t.teardown(() => socket.destroy());
  });
}

t.test('HTTPS for clients, its certificate renewed under way', async (t) => {
  const folder = t.testdir({ public: {} });
  const authority = await TestAuthority.create(folder);
  const first = await authority.files(`spiffe://${TRUST_DOMAIN}/a`);
  const second = await authority.files(`spiffe://${TRUST_DOMAIN}/b`);
  const cert = join(folder, 'public', 'tls.crt');
  const key = join(folder, 'public', 'tls.key');
  const install = (from: string, to: string): void => {
    copyFileSync(from, to);
    chmodSync(to, 0o600);
  };
  install(first.cert, cert);
  install(first.key, key);
  const env = { KEYD_PROXY_TLS_LISTEN: '127.0.0.1:0', KEYD_PROXY_TLS_CERT: cert, KEYD_PROXY_TLS_KEY: key };
  const edge = await startEdge(t, { env });
  const reply = await send(edge.proxyTls, signed(), { tls: { rejectUnauthorized: false } });
  t.equal(reply.status, 200);
  t.strictSame(edge.upstream.lastHeader('x-forwarded-proto'), ['https']);

  const before = await shownBy(t, edge.proxyTls);
  install(second.cert, cert);
  await edge.reload();
  const halfWay = await shownBy(t, edge.proxyTls);
  t.equal(halfWay.fingerprint, before.fingerprint, 'a pair that does not fit is not used');
  t.ok(edge.log.some((line) => line.includes('the old ones stay in use')));
  install(second.key, key);
  await edge.clock.advance(10_000);
  while ((await shownBy(t, edge.proxyTls)).fingerprint === before.fingerprint) await new Promise(setImmediate);
  t.not((await shownBy(t, edge.proxyTls)).fingerprint, before.fingerprint, 'renewed by itself');
  t.notOk(before.socket.destroyed, 'connections of before go on');

  const [host, port] = edge.proxyTls.split(':');
  // Security level 0 lets the client offer what it would not by default.
  const versions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const old = connect({ host, port: Number(port), rejectUnauthorized: false, ...versions });
  const outcome = await new Promise((resolve) => old.on('error', resolve).on('secureConnect', resolve));
  t.match(outcome, Error, 'no TLS 1.1 after it');

  writeFileSync(cert, 'no certificate');
  await t.rejects(startEdge(t, { env }), StartError, 'at start there must be a usable pair');
});

t.test('an address that is taken is told with its setting', async (t) => {
  const edge = await startEdge(t);
  await t.rejects(startEdge(t, { env: { KEYD_PROXY_LISTEN: edge.proxy } }), { message: /is taken.*KEYD_PROXY_LISTEN/ });
});
