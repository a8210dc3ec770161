import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createMtlsAgent,
  CredentialsStore,
  fastifyMtls,
  serverTlsOptions,
  type TlsFiles,
} from '@sigv4-keyd/fastify-mtls';
import {
  dayStreamPath,
  identityOf,
  mtlsKeySource,
  PeerClient,
  SERVICE_KEYS,
  SIGNING_KEYS,
  signSessionToken,
  spiffeIdOf,
} from '@sigv4-keyd/hop-protocol';
import { answerErrorsUniformly } from '@sigv4-keyd/service-skeleton';
import { exportKSigning } from '@sigv4-keyd/sigv4-core';
import Fastify from 'fastify';
import t from 'tap';
import { z } from 'zod';
import { chunked } from '../edge-verifier/chunked-client.js';
import { NOW, presigned, SECRET, send, signed, type Message } from '../edge-verifier/client.js';
import { form } from '../edge-verifier/post-form-client.js';
import { ANN, BEN, FeedTiers, REGION, until, untilVersion, type EdgeTier } from '../feed/feed-tiers.js';
import { hmac, independentKRegion } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { newStateFolder } from '../support/state-folder.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const EDGE = { role: 'edge', region: REGION, service: 's3', name: 'e1' } as const;
const BOUND = { ...EDGE, purpose: 'aws4_request' } as const;
const TODAY = day('20261122');
const DATA = Buffer.alloc(20_000, 'data');

/** What both rungs are, by node:crypto alone. */
const K_SERVICE = hmac(independentKRegion(SECRET, TODAY, REGION), 's3');
const K_SIGNING = hmac(K_SERVICE, 'aws4_request');

async function verdictOn(edge: EdgeTier, message: Message): Promise<string> {
  const { status, headers } = await send(edge.service.addresses['proxy'] ?? '', message);
  return status === 200 ? 'served' : String(headers['x-keyd-reason']);
}

async function statusOf({ service }: EdgeTier): Promise<unknown> {
  return (await fetch(`http://${service.addresses['health'] ?? ''}/status`)).json();
}

const journalIn = (stateFolder: string): string => {
  const folder = join(stateFolder, 'journal');
  const files = readdirSync(folder).filter((name) => name.startsWith('journal'));
  return files.map((name) => readFileSync(join(folder, name), 'latin1')).join('');
};

t.test('an edge that is bound to aws4_request verifies every kind of request, and starts again alone', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const { clock, feed, master } = tiers;
  const region = await tiers.startRegion();
  const files = await tiers.authority.filesOf(BOUND);
  const stateFolder = newStateFolder(t);
  const env = { KEYD_POST_FORMS: 'yes' };
  const edge = await tiers.startEdge(region.url, { files, stateFolder, env });
  await untilVersion(edge, 1);
  const temporary = 'ASIAOFTHISTEST';
  master.accessKeys.set(temporary, { secretAccessKey: SECRET });
  const session = {
    accessKeyId: temporary,
    parentAccessKeyId: ANN,
    name: 'alice',
    createdAt: NOW,
    expiresAt: NOW + 3_600_000,
  };
  const sessionToken = await signSessionToken(session, feed.keys.revocation);
  const accessKeyId = ANN;
  const kinds: Readonly<Record<string, Message>> = {
    'signed header': signed({ accessKeyId }),
    'body by its hash': signed({ accessKeyId, method: 'PUT', target: '/bucket/key', body: 'a body' }),
    'presigned URL': presigned({ accessKeyId, target: '/bucket/key' }),
    'signed chunks': await chunked({ accessKeyId, kind: 'streaming-signed', data: DATA }),
    'signed chunks and trailer': await chunked({ accessKeyId, kind: 'streaming-signed-trailer', data: DATA }),
    'unsigned chunks and trailer': await chunked({ accessKeyId, kind: 'streaming-unsigned-trailer', data: DATA }),
    'a form': form({ accessKeyId }),
    'a session': signed({ accessKeyId: temporary, sessionToken }),
  };
  for (const [kind, message] of Object.entries(kinds)) t.match(await verdictOn(edge, message), 'served', kind);
  t.equal(await verdictOn(edge, signed({ accessKeyId, secret: 'another' })), 'signature-mismatch');
  t.equal(
    await verdictOn(edge, await chunked({ accessKeyId, secret: 'another', kind: 'streaming-signed', data: DATA })),
    'signature-mismatch',
  );
  t.match(edge.log.join(''), /cannot derive a key for any other purpose/, 'told at the start');
  t.match(await statusOf(edge), { rung: 'kSigning', identity: `spiffe://keyd.test/edge/${REGION}/s3/aws4_request/e1` });

  t.match(region.log.join(''), '"rung":"kSigning"');
  t.match(journalIn(region.stateFolder), '"rung":"kSigning"');
  t.notMatch(journalIn(region.stateFolder), '"rung":"kService"', 'the records say which rung was released');

  await edge.close();
  await region.close();
  await master.app.close();
  t.same(readdirSync(join(stateFolder, 'key-cache')).sort(), ['service-public-keys', 'signing-keys']);
  const again = await tiers.startEdge(region.url, { files, stateFolder });
  t.equal(await again.verdictOn({ accessKeyId, now: clock.now() }), 'served', 'from the sealed cache');
  t.equal(await again.verdictOn({ accessKeyId: BEN, now: clock.now() }), 'keys-unavailable');
});

t.test('each edge is given the rung of its certificate, and no other', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion();
  const clientFor = async (identity: typeof EDGE | typeof BOUND): Promise<PeerClient> => {
    const credentials = await tiers.authority.credentials(identity);
    const dispatcher = createMtlsAgent({ credentials, timer: STANDING_TIMER, acceptsServer: () => true });
    t.teardown(() => dispatcher.destroy());
    return new PeerClient({ urls: [new URL(region.url)], dispatcher, timer: STANDING_TIMER });
  };
  const [ordinary, bound] = [await clientFor(EDGE), await clientFor(BOUND)];
  const question = { date: TODAY, accessKeyIds: [ANN] };
  const answer = await mtlsKeySource(SIGNING_KEYS, { region: REGION, service: 's3' }, bound).issue(question);
  const issued = answer.issued.get(ANN);
  t.ok(issued && exportKSigning(issued.key).equals(K_SIGNING), 'as an independent derivation says');
  for (const [client, other, detail] of [
    [bound, SERVICE_KEYS, 'your certificate is for kSigning, this route gives kService'],
    [ordinary, SIGNING_KEYS, 'your certificate is for kService, this route gives kSigning'],
  ] as const) {
    const refusal = { code: 'role-not-allowed', detail };
    const call = { method: 'POST', answer: z.any() } as const;
    await t.rejects(client.call({ ...call, path: other.path, body: question }), refusal);
    const whole = { date: TODAY, which: 'all' };
    await t.rejects(client.call({ ...call, path: dayStreamPath(other), body: whole }), refusal);
  }
  const named = { method: 'POST', path: SIGNING_KEYS.path, answer: z.any() } as const;
  for (const more of [{ purpose: 'aws4_request' }, { rung: 'kService' }]) {
    const call = bound.call({ ...named, body: { ...question, ...more } });
    await t.rejects(call, { code: 'malformed-request' }, 'no request names what it wants');
  }
  for (const spelling of ['base64', 'hex', 'latin1'] as const) {
    t.notOk(region.log.join('').includes(K_SIGNING.toString(spelling)), 'no key in a log');
  }
});

t.test('a certificate of the other kind takes the kept keys of the former one from the disk', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const region = await tiers.startRegion();
  const stateFolder = newStateFolder(t);
  for (const [identity, kept, gone] of [
    [EDGE, 'service-keys', 'signing-keys'],
    [BOUND, 'signing-keys', 'service-keys'],
    [EDGE, 'service-keys', 'signing-keys'],
  ] as const) {
    const edge = await tiers.startEdge(region.url, { stateFolder, files: await tiers.authority.filesOf(identity) });
    await untilVersion(edge, 1);
    t.equal(await edge.verdictOn({ accessKeyId: ANN, now: tiers.clock.now() }), 'served');
    await edge.close();
    t.ok(existsSync(join(stateFolder, 'key-cache', kept)), `${kept} are kept`);
    t.notOk(existsSync(join(stateFolder, 'key-cache', gone)), `${gone} are gone`);
  }
});

/** A region of a release that knows no purposes: what it answers whoever has such a certificate. */
async function earlierRegion(files: TlsFiles): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const credentials = await CredentialsStore.open(files);
  const app = Fastify({ https: { ...serverTlsOptions(credentials.current) } });
  answerErrorsUniformly(app);
  await app.register(fastifyMtls, {
    trustDomain: TRUST_DOMAIN,
    parseIdentity: (id) => (id.segments.length > 4 ? undefined : identityOf(id)),
    credentials,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}

t.test('below a region of an earlier release the edge says what is wrong, and what to do', async (t) => {
  const tiers = await FeedTiers.start(t);
  await tiers.feed.publish();
  const authority = tiers.authority;
  const region = await earlierRegion(await authority.filesOf({ role: 'region', region: REGION, name: 'r1' }));
  t.teardown(() => region.close());
  const edge = await tiers.startEdge(region.url, { files: await authority.filesOf(BOUND) });
  await until(async () => JSON.stringify(await statusOf(edge)).includes('refuses the identity'));
  t.match(JSON.stringify(await statusOf(edge)), /a region of an earlier release knows none .* upgrade it, or use/);
  t.match(edge.log.join(''), 'has no role here', 'with the words of the region');
});

t.test('one id says it all: whatever is nearly a purpose is nobody', (t) => {
  const base = `spiffe://${TRUST_DOMAIN}/edge/${REGION}/s3`;
  const of = (id: string): unknown => identityOf({ trustDomain: TRUST_DOMAIN, segments: id.split('/').slice(3) });
  t.same(of(`${base}/aws4_request/e1`), { ...BOUND, trustDomain: TRUST_DOMAIN });
  t.equal(spiffeIdOf({ ...BOUND, trustDomain: TRUST_DOMAIN }), `${base}/aws4_request/e1`);
  t.same(
    of(`${base}/aws4_request`),
    { ...EDGE, trustDomain: TRUST_DOMAIN, name: 'aws4_request' },
    'a name, by its place',
  );
  for (const id of ['aws5_request/e1', 'AWS4_REQUEST/e1', 'aws4_request/e1/more', 'aws4_request//e1', 'kService/e1']) {
    t.equal(of(`${base}/${id}`), undefined, id);
  }
  t.end();
});
