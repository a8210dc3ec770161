import { configuration, startEdgeVerifier } from '@sigv4-keyd/edge-verifier';
import {
  attestedOnly,
  attestPublicKey,
  ATTESTED_PUBLIC_KEY_BYTES,
  encodeKeyAnswer,
  exportAttestedPublicKey,
  importAttestedPublicKey,
  keyRequest,
  SERVICE_PUBLIC_KEYS,
  type AccessKeyFacts,
  type AttestedPublicKey,
  type IssuedKey,
  type KeySource,
} from '@sigv4-keyd/hop-protocol';
import { createLogger, readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import { ecdsaPrivateKey, ecdsaPublicKey, exportEcdsaPublicKey, type EcdsaPublicKey } from '@sigv4-keyd/sigv4-core';
import t, { type Test } from 'tap';
import { ACCESS_KEY_ID, HOST, NOW, SECRET, send, signed } from '../edge-verifier/client.js';
import { RecordingUpstream } from '../edge-verifier/recording-upstream.js';
import { createFeedKeys } from '../revocation/publisher.js';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { SmallRegion } from '../support/small-region.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const FACTS: AccessKeyFacts = {
  accessKeyId: ACCESS_KEY_ID,
  version: 2,
  createdAt: 1_000,
  expiresAt: 2_000,
  services: ['s3', 'sqs'],
};
const TERMS = { region: 'eu-west-1', date: day('20261122'), facts: FACTS };
const REQUEST = { date: TERMS.date, accessKeyIds: [ACCESS_KEY_ID] };
const publicKeyOf = (secret: string): EcdsaPublicKey => ecdsaPublicKey(ecdsaPrivateKey(secret, ACCESS_KEY_ID));

function answering(key: AttestedPublicKey, facts: AccessKeyFacts): KeySource<AttestedPublicKey> {
  return { issue: () => Promise.resolve({ issued: new Map([[ACCESS_KEY_ID, { facts, key }]]), absent: new Map() }) };
}

t.test('a public key is believed for exactly what the master attested of it', async (t) => {
  const { revocation, beacon, pinned } = await createFeedKeys();
  const attested = attestPublicKey(publicKeyOf(SECRET), TERMS, revocation);
  const refused: string[] = [];
  const told = async (
    facts: AccessKeyFacts,
    key = attested,
    { region = TERMS.region, date = TERMS.date, keys = pinned } = {},
  ): Promise<IssuedKey<EcdsaPublicKey> | undefined> => {
    const answer = await attestedOnly(answering(key, facts), {
      region,
      pinned: keys,
      onRefused: (id) => refused.push(id),
    }).issue({ ...REQUEST, date });
    return answer.issued.get(ACCESS_KEY_ID);
  };
  const believed = await told(FACTS);
  t.same(believed?.facts, FACTS);
  t.ok(believed && exportEcdsaPublicKey(believed.key).equals(exportEcdsaPublicKey(publicKeyOf(SECRET))));
  t.ok(await told({ ...FACTS, services: ['sqs', 's3'] }), 'services in another order are the same services');

  const { accessKeyId, version, createdAt, expiresAt = 0, services = [] } = FACTS;
  const other = await createFeedKeys();
  const forged = { publicKey: publicKeyOf('of the attacker'), attestation: attested.attestation };
  const flipped = Uint8Array.from(attested.attestation);
  flipped[0] = (flipped[0] ?? 0) ^ 1;
  const rows: readonly (readonly [what: string, asked: () => Promise<unknown>])[] = [
    ['another public key', () => told(FACTS, forged)],
    ['a later expiry', () => told({ ...FACTS, expiresAt: 3_000 })],
    ['no expiry', () => told({ accessKeyId, version, createdAt, services })],
    ['another service', () => told({ ...FACTS, services: ['s3', 'sqs', 'sns'] })],
    ['every service', () => told({ accessKeyId, version, createdAt, expiresAt })],
    ['another version', () => told({ ...FACTS, version: 3 })],
    ['another time of creation', () => told({ ...FACTS, createdAt: 1_001 })],
    ['another access key', () => told({ ...FACTS, accessKeyId: 'AKIASOMEBODY' })],
    ['another region', () => told(FACTS, attested, { region: 'us-east-1' })],
    ['another day', () => told(FACTS, attested, { date: day('20261123') })],
    ['an attestation that was changed', () => told(FACTS, { ...attested, attestation: flipped })],
    ['no attestation', () => told(FACTS, { ...attested, attestation: new Uint8Array(64) })],
    ['the keys of another feed', () => told(FACTS, attested, { keys: other.pinned })],
    ['attested by another feed', () => told(FACTS, attestPublicKey(publicKeyOf(SECRET), TERMS, other.revocation))],
  ];
  for (const [what, asked] of rows) await t.rejects(asked(), { code: 'parent-unavailable' }, what);
  t.equal(refused.length, rows.length, 'each was told of');
  t.throws(() => attestPublicKey(publicKeyOf(SECRET), TERMS, beacon), TypeError, 'only revocation keys attest');
  const none: KeySource<AttestedPublicKey> = {
    issue: () => Promise.resolve({ issued: new Map(), absent: new Map([[ACCESS_KEY_ID, 'unknown']]) }),
  };
  const onRefused = (): void => {
    t.fail('absences need no attestation');
  };
  const answer = await attestedOnly(none, { region: 'eu-west-1', pinned, onRefused }).issue(REQUEST);
  t.same([...answer.absent], [[ACCESS_KEY_ID, 'unknown']]);
});

t.test('an attested public key travels as 128 bytes', async (t) => {
  const { revocation } = await createFeedKeys();
  const bytes = exportAttestedPublicKey(attestPublicKey(publicKeyOf(SECRET), TERMS, revocation));
  t.equal(bytes.length, ATTESTED_PUBLIC_KEY_BYTES);
  t.ok(exportAttestedPublicKey(importAttestedPublicKey(bytes)).equals(bytes));
  for (const bad of [bytes.subarray(1), Buffer.concat([bytes, bytes]), Buffer.alloc(ATTESTED_PUBLIC_KEY_BYTES)]) {
    t.throws(() => importAttestedPublicKey(bad), { name: 'RangeError' });
  }
});

const FACTS_OF_CLIENT: AccessKeyFacts = { accessKeyId: ACCESS_KEY_ID, version: 1, createdAt: 0 };

interface TieredEdge {
  readonly clock: VirtualClock;
  readonly feed: TestFeed;
  readonly upstream: RecordingUpstream;
  readonly logged: readonly string[];
  /** What the region tells of the client's access key from now on, as the master attests it. */
  readonly honest: AttestedPublicKey;
  readonly tell: (key: AttestedPublicKey) => void;
  readonly asked: () => number;
  readonly stopRegion: () => Promise<void>;
  readonly startEdge: () => Promise<RunningService>;
  readonly stopEdge: () => Promise<void>;
}

/** A region with nothing of its own above an edge over real mTLS. */
async function setUp(t: Test): Promise<TieredEdge> {
  const clock = new VirtualClock(NOW);
  const feed = await TestFeed.create(clock);
  const authority = await TestAuthority.create(t.testdir());
  const upstream = await RecordingUpstream.start();
  const scope = { region: 'eu-west-1', service: 's3' };
  const credentials = await authority.credentials({ role: 'region', region: scope.region, name: 'r1' });
  const region = await SmallRegion.create(credentials, scope.region, scope.service);
  const honest = attestPublicKey(publicKeyOf(SECRET), { ...TERMS, facts: FACTS_OF_CLIENT }, feed.keys.revocation);
  let told = honest;
  let asked = 0;
  region.app.post(
    SERVICE_PUBLIC_KEYS.path,
    { config: { mtls: { roles: ['edge'] } }, schema: { body: keyRequest } },
    ({ body }) => {
      asked += 1;
      const issued = new Map([[ACCESS_KEY_ID, { facts: FACTS_OF_CLIENT, key: told }]]);
      return encodeKeyAnswer(SERVICE_PUBLIC_KEYS, body.date, scope, { issued, absent: new Map() });
    },
  );
  const url = await region.app.listen({ host: '127.0.0.1', port: 0 });
  const files = await authority.filesOf({ role: 'edge', ...scope, name: 'e1' });
  const stateFolder = newStateFolder(t);
  await feed.seed(stateFolder);
  const settings = readConfiguration(configuration, {
    ...tierSettings(files, feed.jwks, stateFolder),
    KEYD_REGIONS: url,
    KEYD_EXTERNAL_HOSTS: HOST,
    KEYD_ALGORITHMS: 'AWS4-ECDSA-P256-SHA256',
    KEYD_PROXY_LISTEN: '127.0.0.1:0',
    KEYD_UPSTREAM: upstream.url,
  });
  const logged: string[] = [];
  const log = createLogger({ service: 'edge', level: 'info', destination: { write: (line) => logged.push(line) } });
  let running: RunningService | undefined;
  const stopEdge = async (): Promise<void> => {
    await running?.close();
    running = undefined;
  };
  t.teardown(async () => {
    await stopEdge();
    await region.app.close();
    await upstream.close();
  });
  return {
    clock,
    feed,
    upstream,
    logged,
    honest,
    tell: (key) => (told = key),
    asked: () => asked,
    stopRegion: () => region.app.close(),
    stopEdge,
    async startEdge() {
      running = await startEdgeVerifier(settings, { clock, log, timer: STANDING_TIMER, random: () => 0.5 });
      return running;
    },
  };
}

t.test('a region that was broken into cannot sign for an access key, whatever it tells its edges', async (t) => {
  const { clock, feed, upstream, logged, honest, tell, asked, startEdge } = await setUp(t);
  const { addresses } = await startEdge();
  const proxy = addresses['proxy'] ?? '';
  // The attacker has all that a region has: its certificate, the attestation that it was given, keys of its own.
  const own = publicKeyOf('of the attacker');
  const { revocation: ofAnother } = await createFeedKeys();
  const ofAnotherAccessKey = { ...FACTS_OF_CLIENT, accessKeyId: 'AKIAATTACKER' };
  const lies = [
    { publicKey: own, attestation: honest.attestation },
    attestPublicKey(own, { ...TERMS, facts: FACTS_OF_CLIENT }, ofAnother),
    attestPublicKey(own, { ...TERMS, facts: ofAnotherAccessKey }, feed.keys.revocation),
  ];
  for (const lie of lies) {
    tell(lie);
    const before = asked();
    const forgery = signed({ secret: 'of the attacker', regionSet: ['*'], now: clock.now() });
    t.match(await send(proxy, forgery), { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
    t.equal(asked(), before + 1, 'the region was asked, and told its lie');
    // After a failure the region is left alone for a while.
    await clock.advance(10_000);
  }
  t.equal(upstream.requests.length, 0);
  t.equal(logged.filter((line) => line.includes('public-key-not-attested')).length, lies.length, 'the log tells');
  tell(honest);
  const now = clock.now();
  t.equal((await send(proxy, signed({ regionSet: ['*'], now }))).status, 200, 'what it was given, it can pass on');
  t.match(await send(proxy, signed({ secret: 'of the attacker', regionSet: ['*'], now })), {
    status: 403,
    headers: { 'x-keyd-reason': 'signature-mismatch' },
  });
});

t.test('an edge that starts again with nobody above it verifies with the public keys that it held', async (t) => {
  const { asked, startEdge, stopEdge, stopRegion } = await setUp(t);
  const edge = await startEdge();
  t.equal((await send(edge.addresses['proxy'] ?? '', signed({ regionSet: ['*'] }))).status, 200);
  await stopEdge();
  await stopRegion();
  const before = asked();
  const again = await startEdge();
  const proxy = again.addresses['proxy'] ?? '';
  t.equal((await send(proxy, signed({ regionSet: ['*'] }))).status, 200);
  t.equal((await send(proxy, signed({ regionSet: ['*'], secret: 'another' }))).status, 403);
  t.equal(asked(), before);
});
