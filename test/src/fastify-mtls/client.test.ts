import { EventEmitter, once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import {
  createMtlsAgent,
  CredentialsStore,
  type MtlsAgent,
  type MtlsClientErrorCode,
  type SpiffeId,
  type TlsFiles,
} from '@sigv4-keyd/fastify-mtls';
import { writeBundle } from '@sigv4-keyd/pki';
import t, { type Test } from 'tap';
import { fetch } from 'undici';
import { VirtualClock } from '../support/virtual-clock.js';
import { copyInto, DAY, PeerCertificates } from './certificates-for-peers.js';

const acceptsRegions = (id: SpiffeId): boolean => id.segments[0] === 'region';

interface Upstream {
  readonly server: Server;
  readonly port: number;
  /** The serial number of each client's certificate, a request each. */
  readonly clients: string[];
  /** Whether each connection resumed a session. */
  readonly resumed: boolean[];
  readonly slow: EventEmitter;
}

/** A server without Fastify and, but for what is given, without our options: the client must hold by itself. */
async function upstream(t: Test, files: TlsFiles, options: ServerOptions = {}): Promise<Upstream> {
  const own = { cert: readFileSync(files.cert), key: readFileSync(files.key), ca: readFileSync(files.ca) };
  const slow = new EventEmitter();
  const clients: string[] = [];
  const resumed: boolean[] = [];
  const both = { requestCert: true, rejectUnauthorized: true };
  const server = createServer({ ...own, ...both, ...options }, (request, answer) => {
    if (request.socket instanceof TLSSocket) clients.push(request.socket.getPeerX509Certificate()!.serialNumber);
    if (request.url !== '/slow') {
      answer.end('served');
      return;
    }
    slow.once('finish', () => answer.end('served slowly'));
    slow.emit('begun');
  });
  server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, clients, resumed, slow };
}

async function agentFor(t: Test, files: TlsFiles, acceptsServer = acceptsRegions): Promise<MtlsAgent> {
  const agent = createMtlsAgent({ credentials: await CredentialsStore.open(files), acceptsServer });
  t.teardown(() => agent.destroy());
  return agent;
}

async function get(agent: MtlsAgent, port: number, path = '/', host = '127.0.0.1'): Promise<string> {
  const { body } = await agent.request({ origin: `https://${host}:${port}`, path, method: 'GET' });
  return body.text();
}

t.test('a server is asked only when its certificate is of our trust domain, expected, and for the host', async (t) => {
  const folder = t.testdir();
  const certificates = await PeerCertificates.create(join(folder, 'own'));
  const strangers = await PeerCertificates.create(join(folder, 'strangers'));
  const foreigners = await PeerCertificates.create(join(folder, 'foreign'), 'other.test');
  const files = await certificates.issue('edge/eu/s3/a');
  await writeBundle({ from: [certificates.caFile, foreigners.caFile], file: files.ca });
  const agent = await agentFor(t, files);
  const uri = 'spiffe://keyd.test/region/eu/server';

  const good = await upstream(t, await certificates.issue('region/eu/server', { hosts: true }));
  t.equal(await get(agent, good.port), 'served', 'with its address in the certificate');
  t.equal(await get(agent, good.port, '/', 'localhost'), 'served', 'with its name in the certificate');
  const bare = await upstream(t, await certificates.issue('region/eu/bare'));
  t.equal(await get(agent, bare.port), 'served', 'with no host in the certificate, as SPIRE issues them');
  const chained = await certificates.issue('region/eu/chained', { hosts: true });
  writeFileSync(chained.cert, readFileSync(certificates.caFile), { flag: 'a' });
  t.equal(await get(agent, (await upstream(t, chained)).port), 'served', 'with the chain sent along');
  const answer = await fetch(`https://127.0.0.1:${good.port}/`, { dispatcher: agent });
  t.equal(await answer.text(), 'served', "undici's fetch takes the agent too");

  const tls12 = { maxVersion: 'TLSv1.2' } as const;
  const cases: readonly (readonly [string, TlsFiles, MtlsClientErrorCode, ServerOptions?])[] = [
    ['another identity', await certificates.issue('master/a', { hosts: true }), 'server-identity-refused'],
    ['another trust domain', await foreigners.issue('region/eu/server'), 'server-identity-refused'],
    [
      'two URI names',
      await certificates.odd([
        [6, uri],
        [6, uri.replace('eu', 'us')],
      ]),
      'server-without-spiffe-id',
    ],
    ['no URI name', await certificates.odd([[2, 'localhost']]), 'server-without-spiffe-id'],
    ['no names', await certificates.odd([]), 'server-without-spiffe-id'],
    ['a URI that is no SPIFFE id', await certificates.odd([[6, `${uri}?x`]]), 'server-without-spiffe-id'],
    ['an authority', await certificates.odd([[6, uri]], { ca: true }), 'server-without-spiffe-id'],
    [
      'another host',
      await certificates.odd([
        [6, uri],
        [2, 'elsewhere.example'],
      ]),
      'server-host-mismatch',
    ],
    ['another authority', await strangers.issue('region/eu/server', { hosts: true }), 'server-untrusted'],
    [
      'an expired certificate',
      await certificates.issue('region/eu/server', { at: Date.now() - 9 * DAY, days: 1 }),
      'server-certificate-expired',
    ],
    [
      'a certificate of the future',
      await certificates.issue('region/eu/server', { at: Date.now() + 9 * DAY }),
      'server-certificate-not-yet-valid',
    ],
    ['TLS 1.2 only', await certificates.issue('region/eu/server', { hosts: true }), 'server-without-tls13', tls12],
  ];
  for (const [what, serverFiles, code, options] of cases) {
    const server = await upstream(t, serverFiles, options);
    await t.rejects(get(agent, server.port), { name: 'MtlsClientError', code }, `${what}: ${code}`);
    t.equal(server.clients.length, 0, `${what}: no request was sent`);
  }

  const plain = createHttpServer((_request, answerPlainly) => answerPlainly.end('plain'));
  t.teardown(() => plain.close());
  plain.listen(0, '127.0.0.1');
  await once(plain, 'listening');
  const { port } = plain.address() as AddressInfo;
  const overHttp = agent.request({ origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET' });
  await t.rejects(overHttp, { code: 'not-https' });
  await t.rejects(get(agent, port), { code: 'handshake-failed' }, 'a server that speaks no TLS');
  plain.close();
  await once(plain, 'close');
  await t.rejects(get(agent, port), { code: 'ECONNREFUSED' }, 'what is no matter of TLS keeps its own code');
});

t.test('a server that refuses our certificate is told from other failures', async (t) => {
  const folder = t.testdir();
  const certificates = await PeerCertificates.create(join(folder, 'own'));
  const strangers = await PeerCertificates.create(join(folder, 'strangers'));
  const server = await upstream(t, await certificates.issue('region/eu/server', { hosts: true }));
  const files = await strangers.issue('edge/eu/s3/a');
  writeFileSync(files.ca, readFileSync(certificates.caFile));
  const error: unknown = await get(await agentFor(t, files), server.port).catch((thrown: unknown) => thrown);
  // Whether the alert or the reset comes first is the network's to say.
  t.match(error, { code: /^(client-certificate-refused|ECONNRESET|EPIPE|UND_ERR_SOCKET)$/ });
  t.equal(server.clients.length, 0);
});

t.test('every connection is judged anew: sessions are not resumed past the identity', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const server = await upstream(t, await certificates.issue('region/eu/server', { hosts: true }));
  let accepted = true;
  let judged = 0;
  const agent = await agentFor(t, await certificates.issue('edge/eu/s3/a'), () => {
    judged += 1;
    return accepted;
  });
  for (let connection = 0; connection < 3; connection += 1) {
    t.equal(await get(agent, server.port), 'served');
    server.server.closeAllConnections();
  }
  t.equal(judged, 3);
  t.strictSame(server.resumed, [false, false, false], 'although the server would resume');
  accepted = false;
  await t.rejects(get(agent, server.port), { code: 'server-identity-refused' });
});

t.test('new credentials take effect with the next request, and requests under way end in peace', async (t) => {
  const folder = t.testdir();
  const certificates = await PeerCertificates.create(join(folder, 'own'));
  const server = await upstream(t, await certificates.issue('region/eu/server', { hosts: true }));
  const files = copyInto(join(folder, 'live'), await certificates.issue('edge/eu/s3/a'));
  const store = await CredentialsStore.open(files);
  const agent = createMtlsAgent({ credentials: store, acceptsServer: acceptsRegions });
  t.equal(await get(agent, server.port), 'served');
  const begun = once(server.slow, 'begun');
  const underWay = get(agent, server.port, '/slow');
  await begun;

  copyInto(join(folder, 'live'), await certificates.issue('edge/eu/s3/a'));
  t.equal(await store.reload(), true);
  t.equal(await get(agent, server.port), 'served');
  const [first, slow, next] = server.clients;
  t.equal(slow, first, 'the slow one began with the old certificate');
  t.not(next, first, 'the next shows the new one');
  server.slow.emit('finish');
  t.equal(await underWay, 'served slowly');

  const successor = await PeerCertificates.create(join(folder, 'new'));
  const heir = await upstream(t, await successor.issue('region/eu/server', { hosts: true }), {
    ca: [readFileSync(certificates.caFile), readFileSync(successor.caFile)],
  });
  await t.rejects(get(agent, heir.port), { code: 'server-untrusted' });
  await writeBundle({ from: [certificates.caFile, successor.caFile], file: files.ca });
  t.equal(await store.reload(), true);
  t.equal(await get(agent, heir.port), 'served', 'both authorities are trusted during a roll-over');
  t.equal(await get(agent, server.port), 'served');

  const begunAgain = once(server.slow, 'begun');
  const last = get(agent, server.port, '/slow');
  await begunAgain;
  const closed = agent.close();
  server.slow.emit('finish');
  t.equal(await last, 'served slowly', 'close waits for what is under way');
  await closed;
  await t.rejects(get(agent, server.port), { code: 'UND_ERR_DESTROYED' });
  copyInto(join(folder, 'live'), await certificates.issue('edge/eu/s3/a'));
  t.equal(await store.reload(), true);
  await t.rejects(get(agent, server.port), { code: 'UND_ERR_DESTROYED' }, 'a reload brings no closed agent back');
});

t.test('a server that is silent is given up when the timer rings, and no sooner', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const silent = createTcpServer();
  t.teardown(() => silent.close());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const timer = new VirtualClock(0);
  const credentials = await CredentialsStore.open(await certificates.issue('edge/eu/s3/a'));
  const agent = createMtlsAgent({
    credentials,
    acceptsServer: acceptsRegions,
    connectTimeoutMilliseconds: 3_000,
    timer,
  });
  t.teardown(() => agent.destroy());
  const dialled = once(silent, 'connection') as Promise<[Socket]>;
  const { port } = silent.address() as AddressInfo;
  const failure = t.rejects(get(agent, port), {
    code: 'UND_ERR_CONNECT_TIMEOUT',
    message: `no connection with 127.0.0.1:${port} within 3000 ms`,
  });
  const [connection] = await dialled;
  await timer.advance(2_999);
  t.equal(timer.pending, 1);
  const gone = once(connection.resume(), 'close');
  await timer.advance(1);
  await failure;
  await gone;
  const server = await upstream(t, await certificates.issue('region/eu/server', { hosts: true }));
  t.equal(await get(agent, server.port), 'served');
  t.equal(timer.pending, 0, 'nothing is left to ring');
});

t.test('a destroyed agent fails what is under way', async (t) => {
  const certificates = await PeerCertificates.create(t.testdir());
  const server = await upstream(t, await certificates.issue('region/eu/server', { hosts: true }));
  const agent = await agentFor(t, await certificates.issue('edge/eu/s3/a'));
  const begun = once(server.slow, 'begun');
  const underWay = get(agent, server.port, '/slow');
  await begun;
  const end = new Error('the end of the test');
  await Promise.all([t.rejects(underWay, { message: end.message }), agent.destroy(end)]);
});
