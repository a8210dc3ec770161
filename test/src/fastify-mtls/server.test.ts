import { X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, type Server } from 'node:https';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import {
  CredentialsStore,
  fastifyMtls,
  serverTlsOptions,
  type FastifyMtlsOptions,
  type PeerIdentity,
  type SpiffeId,
  type TlsFiles,
} from '@sigv4-keyd/fastify-mtls';
import { writeBundle } from '@sigv4-keyd/pki';
import Fastify, { type FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { copyInto, DAY, PeerCertificates, TRUST_DOMAIN } from './certificates-for-peers.js';
import { ask, type Outcome } from './plain-client.js';

type MtlsServer = FastifyInstance<Server>;

// The identities of these tests: the first segment is the role. `PeerIdentity` is what the whole test project declares.
// Which of them is a matter of when the alert is read: while writing, while reading, or after the reset.
const REFUSED_IN_HANDSHAKE = /^(ERR_SSL_.*|ECONNRESET|EPIPE|EPROTO)$/;

const ROLES = ['region', 'edge', 'operator'];
function roleIdentity({ segments: [role = '', ...rest], uri }: SpiffeId): PeerIdentity | undefined {
  return ROLES.includes(role) ? ({ role, uri, rest } as unknown as PeerIdentity) : undefined;
}

interface Served {
  readonly app: MtlsServer;
  readonly port: number;
  readonly store: CredentialsStore;
  /** How often the handler of /region ran. */
  readonly handled: () => number;
  /** Says 'begun' when a request for /slow waits for its answer; told 'finish', it answers. */
  readonly slow: EventEmitter;
}

async function serve(t: Test, files: TlsFiles, options: Partial<FastifyMtlsOptions> = {}): Promise<Served> {
  const store = await CredentialsStore.open(files);
  const app = Fastify({ https: { ...serverTlsOptions(store.current) }, forceCloseConnections: true });
  t.teardown(() => app.close());
  const slow = new EventEmitter();
  let handled = 0;
  await app.register(fastifyMtls, {
    trustDomain: TRUST_DOMAIN,
    parseIdentity: roleIdentity,
    credentials: store,
    ...options,
  });
  app.get('/region', { config: { mtls: { roles: ['region'] } } }, (request) => {
    handled += 1;
    return { peer: request.peer };
  });
  app.get('/slow', { config: { mtls: { roles: ['region'] } } }, async () => {
    const finished = once(slow, 'finish');
    slow.emit('begun');
    await finished;
    return {};
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, port: (app.server.address() as AddressInfo).port, store, handled: () => handled, slow };
}

t.test('only a peer with one known SPIFFE id of the trust domain, and of the right role, is served', async (t) => {
  const folder = t.testdir();
  const certificates = await PeerCertificates.create(join(folder, 'own'));
  const strangers = await PeerCertificates.create(join(folder, 'strangers'));
  const foreigners = await PeerCertificates.create(join(folder, 'foreign'), 'other.test');
  const files = await certificates.issue('region/eu/server', { hosts: true });
  // The server trusts the foreign authority's signature too, so that the trust domain alone decides.
  await writeBundle({ from: [certificates.caFile, foreigners.caFile], file: files.ca });
  const { port, handled } = await serve(t, files);
  const good = await certificates.issue('region/eu/a');
  const uri = 'spiffe://keyd.test/region/eu/a';

  const refusedInHandshake: readonly (readonly [string, TlsFiles | undefined, object?])[] = [
    ['no certificate', undefined],
    ['an expired certificate', await certificates.issue('region/eu/a', { at: Date.now() - 9 * DAY, days: 1 })],
    ['a certificate of the future', await certificates.issue('region/eu/a', { at: Date.now() + 9 * DAY })],
    ['a certificate of another authority of the same name', await strangers.issue('region/eu/a')],
    ['TLS 1.2', good, { maxVersion: 'TLSv1.2' }],
    ['TLS 1.1', good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }],
    ['HTTP/2 only', good, { ALPNProtocols: ['h2'] }],
  ];
  for (const [what, peer, tls] of refusedInHandshake) {
    const outcome = await ask(peer, certificates.caFile, { port, path: '/region', ...tls });
    t.match(outcome, { failed: REFUSED_IN_HANDSHAKE }, `${what}: refused in the handshake`);
  }

  const refusedByIdentity: readonly (readonly [string, TlsFiles, number, string])[] = [
    ['no alternative names', await certificates.odd([]), 401, 'FST_MTLS_NO_SPIFFE_ID'],
    ['a DNS name only', await certificates.odd([[2, 'localhost']]), 401, 'FST_MTLS_NO_SPIFFE_ID'],
    [
      'two URI names',
      await certificates.odd([
        [6, uri],
        [6, 'spiffe://keyd.test/region/us/a'],
      ]),
      401,
      'FST_MTLS_SEVERAL_URI_SANS',
    ],
    [
      'a URI of another scheme',
      await certificates.odd([[6, 'https://keyd.test/region/a']]),
      401,
      'MALFORMED_SPIFFE_ID',
    ],
    ['a path that climbs', await certificates.odd([[6, 'spiffe://keyd.test/region/../a']]), 401, 'MALFORMED_SPIFFE_ID'],
    ['an encoded path', await certificates.odd([[6, 'spiffe://keyd.test/%72egion/a']]), 401, 'MALFORMED_SPIFFE_ID'],
    ['a URI with a port', await certificates.odd([[6, 'spiffe://keyd.test:1/region/a']]), 401, 'MALFORMED_SPIFFE_ID'],
    [
      'an upper-case trust domain',
      await certificates.odd([[6, 'spiffe://KEYD.test/region']]),
      401,
      'MALFORMED_SPIFFE_ID',
    ],
    ['an authority', await certificates.odd([[6, uri]], { ca: true }), 401, 'FST_MTLS_AUTHORITY_AS_PEER'],
    ['another trust domain', await foreigners.issue('region/eu/a'), 401, 'FST_MTLS_WRONG_TRUST_DOMAIN'],
    ['an unknown role', await certificates.issue('stranger/eu/a'), 403, 'FST_MTLS_UNKNOWN_IDENTITY'],
    ['the wrong role', await certificates.issue('edge/eu/s3/a'), 403, 'FST_MTLS_WRONG_ROLE'],
  ];
  for (const [what, peer, status, code] of refusedByIdentity) {
    const outcome = await ask(peer, certificates.caFile, { port, path: '/region' });
    t.match(outcome, { status, body: { code: new RegExp(code) } }, `${what}: ${code}`);
  }
  t.equal(handled(), 0, 'no handler ran for any of them');

  t.match(await ask(good, certificates.caFile, { port, path: '/region' }), { status: 200, body: { peer: { uri } } });
  t.equal(handled(), 1);

  const nowhere = await ask(await certificates.odd([]), certificates.caFile, { port, path: '/nowhere' });
  t.match(nowhere, { status: 401 }, 'who is not authenticated does not even learn what is not there');
  t.match(await ask(good, certificates.caFile, { port, path: '/nowhere' }), { status: 404 });
});

t.test('connections that break off anywhere leave the server well', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const { port } = await serve(t, await certificates.issue('region/eu/server', { hosts: true }));
  const good = await certificates.issue('region/eu/a');
  const own = { cert: readFileSync(good.cert), key: readFileSync(good.key), ca: readFileSync(good.ca) };

  for (const bytes of ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', '\0'.repeat(5000)]) {
    const socket = connectTcp(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end(Buffer.from(bytes, 'latin1'));
    socket.resume();
    await once(socket, 'close');
  }
  const wire = connectTcp(port, '127.0.0.1');
  const rude = connectTls({ socket: wire, ...own, checkServerIdentity: () => undefined });
  rude.on('error', () => undefined);
  await once(rude, 'secureConnect');
  rude.write('GET /region HTTP/1.1\r\nHost: a\r\n');
  wire.resetAndDestroy();
  await once(rude, 'close');

  t.match(await ask(good, certificates.caFile, { port, path: '/region' }), { status: 200 });
});

t.test('every route says whom it serves, or is refused when it is registered', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const files = await certificates.issue('region/eu/server', { hosts: true });
  const { app } = await serve(t, files);
  const store = await CredentialsStore.open(files);
  const options = { trustDomain: TRUST_DOMAIN, parseIdentity: roleIdentity, credentials: store };
  const fresh = async (): Promise<MtlsServer> => {
    const another = Fastify({ https: { ...serverTlsOptions(store.current) } });
    t.teardown(() => another.close());
    await another.register(fastifyMtls, options);
    return another;
  };
  const one = await fresh();
  t.throws(() => one.get('/open', () => 'open'), { code: 'FST_MTLS_ROUTE_UNDECLARED', message: /GET \/open/ });
  t.throws(() => one.post('/none', { config: { mtls: { roles: [] } } }, () => ''), { message: /POST \/none/ });
  const nested = async (scope: FastifyInstance): Promise<void> => {
    await Promise.resolve();
    scope.get('/nested', () => 'open');
  };
  await t.rejects(
    async () => {
      await one.register(nested, { prefix: '/v1' });
    },
    { message: /GET \/v1\/nested/ },
    'in a scope of its own too',
  );
  t.ok(app.hasRoute({ method: 'HEAD', url: '/region' }), 'the HEAD of a declared route needs none of its own');

  const late = Fastify({ https: { ...serverTlsOptions(store.current) } });
  t.teardown(() => late.close());
  late.get('/early', () => 'open');
  await late.register(fastifyMtls, options);
  await late.listen({ host: '127.0.0.1', port: 0 });
  const { port } = late.server.address() as AddressInfo;
  const outcome = await ask(await certificates.issue('region/eu/a'), certificates.caFile, { port, path: '/early' });
  const undeclared = { status: 403, body: { code: 'FST_MTLS_ROUTE_UNDECLARED' } };
  t.match(outcome, undeclared, 'registered before the plugin: refused when asked');

  const plain = Fastify();
  await t.rejects(async () => await plain.register(fastifyMtls, options), { code: 'FST_MTLS_SERVER_NOT_TLS' });
  const wrong = Fastify({ https: { ...serverTlsOptions(store.current) } });
  const noTrustDomain = { ...options, trustDomain: 'spiffe://a' };
  await t.rejects(async () => await wrong.register(fastifyMtls, noTrustDomain), /trust domain/);
});

t.test('a server with laxer TLS options stays closed', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const store = await CredentialsStore.open(await certificates.issue('region/eu/server', { hosts: true }));
  const lax = { rejectUnauthorized: false, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' } as const;
  const app = Fastify({ https: { ...serverTlsOptions(store.current), ...lax } });
  t.teardown(() => app.close());
  await app.register(fastifyMtls, { trustDomain: TRUST_DOMAIN, parseIdentity: roleIdentity, credentials: store });
  app.get('/region', { config: { mtls: { roles: ['region'] } } }, () => ({}));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const path = '/region';
  const stranger = await (await PeerCertificates.create(join(t.testdirName, 'strangers'))).issue('region/eu/a');
  const good = await certificates.issue('region/eu/a');
  const refused = { status: 401, body: { code: 'FST_MTLS_NO_CERTIFICATE' } };
  t.match(await ask(undefined, certificates.caFile, { port, path }), refused, 'no certificate');
  t.match(await ask(stranger, certificates.caFile, { port, path }), refused, 'of another authority');
  t.match(await ask(good, certificates.caFile, { port, path, maxVersion: 'TLSv1.2' }), refused, 'over TLS 1.2');
  t.match(await ask(good, certificates.caFile, { port, path }), { status: 200 });
});

t.test('an identity is settled once a connection, its refusal and its end at every request', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const parsed: string[] = [];
  const banned = new Set<string>();
  const uriOf = (peer: PeerIdentity): string => (peer as unknown as { readonly uri: string }).uri;
  let now = Date.now();
  const { app, port, slow } = await serve(t, await certificates.issue('region/eu/server', { hosts: true }), {
    parseIdentity: (id) => {
      parsed.push(id.uri);
      return roleIdentity(id);
    },
    isRefused: (peer) => (banned.has(uriOf(peer)) ? 'the ban of the test' : undefined),
    now: () => now,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const good = await certificates.issue('region/eu/a', { days: 2 });
  const other = await certificates.issue('region/eu/b', { days: 2 });
  const askOnce = (peer: TlsFiles = good): Promise<Outcome> =>
    ask(peer, certificates.caFile, { port, path: '/region', agent: peer === good ? agent : false });
  for (let request = 0; request < 5; request += 1) t.match(await askOnce(), { status: 200 });
  t.equal(parsed.length, 1, 'five requests over one connection: parsed once');
  t.match(await askOnce(other), { status: 200 });
  t.equal(parsed.length, 2);

  banned.add('spiffe://keyd.test/region/eu/a');
  const refused = await askOnce();
  t.match(refused, { status: 403, body: { code: 'FST_MTLS_IDENTITY_REFUSED' } }, 'banned on the live connection');
  t.notMatch(JSON.stringify(refused), 'the ban of the test', 'the reason is for the log');
  t.match(await askOnce(other), { status: 200 }, 'another identity is not');
  banned.clear();
  t.match(await askOnce(), { status: 200 });
  t.equal(parsed.length, 3, 'still the same connection');

  now += 3 * DAY;
  t.match(await askOnce(), { status: 401, body: { code: 'FST_MTLS_CERTIFICATE_EXPIRED' } }, 'expired while connected');
  now -= 3 * DAY;

  const begun = once(slow, 'begun');
  const underWay = ask(good, certificates.caFile, { port, path: '/slow' });
  await begun;
  t.equal(
    app.closeConnectionsOf((peer) => uriOf(peer).endsWith('/nobody')),
    0,
  );
  t.equal(
    app.closeConnectionsOf((peer) => uriOf(peer).endsWith('/eu/a')),
    2,
    'the idle one and the busy one',
  );
  t.match(await underWay, { failed: 'ECONNRESET' });
  const anew = new Agent({ keepAlive: true });
  t.teardown(() => anew.destroy());
  const again = await ask(good, certificates.caFile, { port, path: '/region', agent: anew });
  t.match(again, { status: 200 }, 'a new connection may come: bans are for isRefused');
  t.equal(
    app.closeConnectionsOf((peer) => uriOf(peer).endsWith('/eu/a')),
    1,
    'closed ones are forgotten',
  );
});

t.test('new credentials are served without a restart, and nothing else changes', async (t) => {
  const folder = t.testdir();
  const certificates = await PeerCertificates.create(join(folder, 'old'));
  const successor = await PeerCertificates.create(join(folder, 'new'));
  const first = await certificates.issue('region/eu/server', { hosts: true });
  const files = copyInto(join(folder, 'live'), first);
  const { app, port, store, slow } = await serve(t, files);
  const path = '/region';
  const good = await certificates.issue('region/eu/a');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const before = await ask(good, certificates.caFile, { port, path, agent });
  const serialOf = (file: string): string => new X509Certificate(readFileSync(file)).serialNumber;
  t.match(before, { status: 200, served: serialOf(first.cert) });
  const begun = once(slow, 'begun');
  const underWay = ask(good, certificates.caFile, { port, path: '/slow' });
  await begun;

  const second = await certificates.issue('region/eu/server', { hosts: true });
  writeFileSync(files.key, readFileSync(second.key));
  t.equal(await store.reload(), false);
  const torn = await ask(good, certificates.caFile, { port, path });
  t.match(torn, { status: 200, served: serialOf(first.cert) }, 'half an installation: the old ones are served');

  writeFileSync(files.cert, readFileSync(second.cert));
  t.equal(await store.reload(), true);
  const after = await ask(good, certificates.caFile, { port, path });
  t.match(after, { status: 200, served: serialOf(second.cert) }, 'the new one is served to new connections');
  const kept = await ask(good, certificates.caFile, { port, path, agent });
  t.match(kept, { status: 200, served: serialOf(first.cert) }, 'the old connection lives');
  slow.emit('finish');
  t.match(await underWay, { status: 200 }, 'so do requests under way');
  const old = await ask(good, certificates.caFile, { port, path, maxVersion: 'TLSv1.2' });
  t.match(old, { failed: REFUSED_IN_HANDSHAKE }, 'TLS 1.2 is still refused');
  t.match(await ask(undefined, certificates.caFile, { port, path }), { failed: REFUSED_IN_HANDSHAKE });

  const heir = await successor.issue('region/eu/a');
  const heirFails = { failed: REFUSED_IN_HANDSHAKE };
  t.match(await ask(heir, certificates.caFile, { port, path }), heirFails, 'the next authority is not trusted yet');
  await writeBundle({ from: [certificates.caFile, successor.caFile], file: files.ca });
  t.equal(await store.reload(), true);
  t.match(await ask(heir, certificates.caFile, { port, path }), { status: 200 }, 'old and new: the new one is');
  t.match(await ask(good, certificates.caFile, { port, path }), { status: 200 }, 'and the old one');
  await writeBundle({ from: [successor.caFile], file: files.ca });
  t.equal(await store.reload(), true);
  t.match(await ask(good, certificates.caFile, { port, path }), heirFails, 'the old authority is gone');
  t.match(await ask(heir, certificates.caFile, { port, path }), { status: 200 });

  let installed = 0;
  app.server.setSecureContext = () => {
    installed += 1;
  };
  writeFileSync(files.ca, readFileSync(certificates.caFile));
  t.equal(await store.reload(), true);
  t.equal(installed, 1);
  await app.close();
  writeFileSync(files.ca, readFileSync(successor.caFile));
  t.equal(await store.reload(), true);
  t.equal(installed, 1, 'a closed server no longer listens to its store');
});

t.test('no session is resumed, so no certificate escapes being checked again', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const { port } = await serve(t, await certificates.issue('region/eu/server', { hosts: true }));
  const good = await certificates.issue('region/eu/a');
  const own = { cert: readFileSync(good.cert), key: readFileSync(good.key), ca: readFileSync(good.ca) };
  const sessions: Buffer[] = [];
  for (const session of [undefined, () => sessions.at(-1)]) {
    const offered = session?.();
    const socket = connectTls({ port, host: '127.0.0.1', ...own, ...(offered && { session: offered }) });
    socket.on('session', (fresh: Buffer) => sessions.push(fresh));
    await once(socket, 'secureConnect');
    t.equal(socket.isSessionReused(), false);
    socket.end('GET /region HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
  }
  t.ok(sessions.length > 0, 'a session was offered to resume');
});
