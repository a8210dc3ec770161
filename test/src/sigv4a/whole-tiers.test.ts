import type { CreatedAccessKey, RotatedAccessKey } from '@sigv4-keyd/hop-protocol';
import { addDays, scopeDateOf, startOfScopeDate } from '@sigv4-keyd/sigv4-core';
import { Sha256 } from '@aws-crypto/sha256-js';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SignatureV4a } from '@aws-sdk/signature-v4a';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { HOST, presigned, signed, type Draft, type Message } from '../edge-verifier/client.js';
import { startStoryTiers, type EdgeOfStory, type StoryTiers } from '../story/story-tiers.js';
import { LeapingClock } from '../support/leaping-clock.js';
import { runSql } from '../support/postgres.js';

const SCOPES = [
  { region: 'us-east-1', service: 's3' },
  { region: 'eu-west-1', service: 's3' },
  { region: 'eu-west-1', service: 'execute-api' },
  { region: 'ap-southeast-2', service: 's3' },
];
const BOTH = 'AWS4-HMAC-SHA256,AWS4-ECDSA-P256-SHA256';
// Certificates are dated by the machine's own clock: the story lies around it.
const TODAY = scopeDateOf(Date.now());
const MORNING = startOfScopeDate(TODAY) + 9 * 3_600_000;

interface Setting extends StoryTiers {
  readonly clock: LeapingClock;
  readonly accessKey: CreatedAccessKey;
  /** Signed at this moment, for these regions. */
  readonly draft: (regionSet: readonly string[], more?: Partial<Draft>) => Draft;
  /** The same with AWS4-HMAC-SHA256, for one region. */
  readonly hmac: (region: string) => Draft;
  /** What an edge says of a message once it says what is expected, or in the end. */
  readonly soon: (edge: EdgeOfStory, message: Message, expected: string) => Promise<string>;
  readonly us: EdgeOfStory;
  readonly eu: EdgeOfStory;
  readonly euApi: EdgeOfStory;
  readonly ap: EdgeOfStory;
}

async function setUp(t: Test, { algorithms = BOTH, at = MORNING } = {}): Promise<Setting> {
  const clock = new LeapingClock(at);
  const tiers = await startStoryTiers(t, clock, SCOPES, { edge: { KEYD_ALGORITHMS: algorithms } });
  await tiers.leapTo(clock.now() + 1_000);
  const accessKey = (await tiers.keydctl('access-key', 'create', '--owner', 'ann')) as unknown as CreatedAccessKey;
  const { accessKeyId, secretAccessKey: secret } = accessKey;
  const [us, eu, euApi, ap] = tiers.edges;
  if (!us || !eu || !euApi || !ap) throw new Error('an edge is missing');
  const draft: Setting['draft'] = (regionSet, more) => ({ accessKeyId, secret, now: clock.now(), regionSet, ...more });
  const hmac: Setting['hmac'] = (region) => ({ accessKeyId, secret, now: clock.now(), region });
  const soon: Setting['soon'] = async (edge, message, expected) => {
    let verdict = await edge.verdictOn(message);
    for (let tries = 0; verdict !== expected && tries < 100; tries += 1) {
      await tiers.leapTo(clock.now() + 1_000);
      verdict = await edge.verdictOn(message);
    }
    return verdict;
  };
  return { ...tiers, clock, accessKey, draft, hmac, soon, us, eu, euApi, ap };
}

t.setTimeout(180_000);

t.test('one signature is good in the regions of its set and nowhere else', async (t) => {
  const { us, eu, euApi, ap, draft, hmac, upstream, accessKey, database } = await setUp(t);
  const set = ['us-east-1', 'eu-*'];
  for (const message of [signed(draft(set, { method: 'PUT', body: 'a body' })), presigned(draft(set))]) {
    t.equal(await us.verdictOn(message), 'served');
    t.strictSame(upstream.lastHeader('x-keyd-access-key-id'), [accessKey.accessKeyId]);
    t.strictSame(upstream.lastHeader('x-keyd-region'), ['us-east-1'], 'where it was served');
    t.equal(await eu.verdictOn(message), 'served');
    t.equal(await ap.verdictOn(message), 'region-not-in-set');
    t.equal(await euApi.verdictOn(message), 'wrong-service');
  }
  t.equal(await euApi.verdictOn(signed(draft(['*'], { service: 'execute-api' }))), 'served');
  t.equal(await us.verdictOn(signed(draft(set, { secret: 'another' }))), 'signature-mismatch');
  t.equal(await us.verdictOn(signed(draft(set, { accessKeyId: 'AKIANOBODY' }))), 'access-key-unknown');
  t.equal(await us.verdictOn(signed(hmac('us-east-1'))), 'served', 'HMAC beside it');

  const given = await runSql<{ rung: string; to: string; service: string | null }>(
    database,
    `SELECT rung, substring(peer from '(region|edge)/') AS "to", service FROM issuance
      WHERE rung = 'publicKey' AND region = 'us-east-1' ORDER BY issued_at`,
  );
  t.match(given, [{ to: 'region', service: null }], 'what the master gave out is recorded');
});

t.test('revoking a region closes that region to a signature that other regions go on taking', async (t) => {
  const { us, eu, draft, hmac, soon, clock, leapTo, keydctl } = await setUp(t);
  const everywhere = signed(draft(['*']));
  const ofYesterday = presigned({ ...draft(['*']), expiresSeconds: 7 * 86_400 });
  t.equal(await us.verdictOn(everywhere), 'served');
  await leapTo(startOfScopeDate(addDays(TODAY, 1)) + 9 * 3_600_000);
  const ofToday = presigned({ ...draft(['*']), expiresSeconds: 7 * 86_400 });
  for (const edge of [us, eu]) {
    t.equal(await edge.verdictOn(ofYesterday), 'served');
    t.equal(await edge.verdictOn(ofToday), 'served');
  }
  const day = new Date(clock.now()).toISOString().slice(0, 10);
  const scope = ['--region', 'us-east-1', '--from', day, '--to', day];
  const why = ['--incident', 'INC-1', '--reason', 'a break-in', '--yes'];
  const dryRun = await keydctl('revoke', ...scope, ...why, '--dry-run');
  t.match(dryRun, { published: false, blastRadius: { identityCount: 0, accessKeyCount: 0, acceptances: {} } });
  t.equal(await us.verdictOn(signed(hmac('us-east-1'))), 'served');
  const withHmac = await keydctl('revoke', ...scope, ...why, '--dry-run');
  t.match(withHmac, { blastRadius: { accessKeyCount: 1 } }, 'kRegion is counted, public keys are not');
  await keydctl('revoke', ...scope, ...why);
  t.equal(await soon(us, ofToday, 'scope-revoked'), 'scope-revoked', 'its region and day');
  t.equal(await us.verdictOn(signed(draft(['*']))), 'scope-revoked');
  t.equal(await us.verdictOn(ofYesterday), 'served', 'another day');
  t.equal(await eu.verdictOn(ofToday), 'served', 'another region');
  t.equal(await eu.verdictOn(signed(draft(['*']))), 'served');
});

t.test('an access key that is restricted, disabled or expired verifies as little as it does with HMAC', async (t) => {
  const { eu, euApi, ap, draft, soon, keydctl, leapTo, clock } = await setUp(t);
  const create = async (...args: readonly string[]): Promise<Partial<Draft>> => {
    const made = await keydctl('access-key', 'create', '--owner', 'bob', ...args);
    const { accessKeyId, secretAccessKey } = made as unknown as CreatedAccessKey;
    return { accessKeyId, secret: secretAccessKey };
  };
  const onlyS3 = await create('--service', 's3');
  t.equal(await eu.verdictOn(signed(draft(['*'], onlyS3))), 'served');
  const forApi = signed(draft(['*'], { ...onlyS3, service: 'execute-api' }));
  t.equal(await euApi.verdictOn(forApi), 'access-key-not-for-scope');
  const onlyEurope = await create('--region', 'eu-west-1');
  t.equal(await eu.verdictOn(signed(draft(['*'], onlyEurope))), 'served');
  t.equal(await ap.verdictOn(signed(draft(['*'], onlyEurope))), 'access-key-not-for-scope');
  const rotated = await keydctl('access-key', 'rotate', onlyS3.accessKeyId ?? '', '--yes');
  const { secretAccessKey: secret } = (rotated as unknown as RotatedAccessKey).accessKey;
  t.equal(await soon(eu, signed(draft(['*'], { ...onlyS3, secret })), 'served'), 'served', 'its new secret');
  t.equal(await eu.verdictOn(signed(draft(['*'], onlyS3))), 'signature-mismatch', 'the secret of before');
  t.equal(await eu.verdictOn(signed(draft(['*'], onlyEurope))), 'served');
  await keydctl('access-key', 'disable', onlyEurope.accessKeyId ?? '');
  const held = signed(draft(['*'], onlyEurope));
  t.equal(await soon(eu, held, 'access-key-disabled'), 'access-key-disabled', 'although its key was held');
  const disabled = await create();
  await keydctl('access-key', 'disable', disabled.accessKeyId ?? '');
  t.equal(await eu.verdictOn(signed(draft(['*'], disabled))), 'access-key-disabled');
  // keydctl reads the clock of the machine.
  const end = Math.max(clock.now(), Date.now()) + 3_600_000;
  const brief = await create('--expires', new Date(end).toISOString());
  t.equal(await eu.verdictOn(signed(draft(['*'], brief))), 'served');
  await leapTo(end + 1_000);
  t.equal(await eu.verdictOn(signed(draft(['*'], brief))), 'access-key-expired');
});

t.test('an edge takes SigV4A only where it was switched on', async (t) => {
  const { us, draft, hmac } = await setUp(t, { algorithms: 'AWS4-HMAC-SHA256' });
  t.equal(await us.verdictOn(signed(draft(['*']))), 'unsupported-algorithm');
  t.equal(await us.verdictOn(presigned(draft(['*']))), 'unsupported-algorithm');
  t.equal(await us.verdictOn(signed(hmac('us-east-1'))), 'served');
});

t.test('the S3 client of the JavaScript SDK signs with SigV4A', async (t) => {
  // The SDK goes by the Date of answers, which is the upstream's own.
  const { us, eu, accessKey, upstream } = await setUp(t, { at: Date.now() });
  for (const edge of [us, eu]) {
    const client = new S3Client({
      // What the SDK does for access points of several regions, for an endpoint of our own.
      endpoint: `http://${HOST}`,
      requestHandler: { httpAgent: new AgentTo(edge.proxy) },
      region: edge.region,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: accessKey.accessKeyId, secretAccessKey: accessKey.secretAccessKey },
      signer: new SignatureV4a({
        credentials: { accessKeyId: accessKey.accessKeyId, secretAccessKey: accessKey.secretAccessKey },
        region: '*',
        service: 's3',
        sha256: Sha256,
        uriEscapePath: false,
      }),
    });
    t.teardown(() => client.destroy());
    const put = await client.send(new PutObjectCommand({ Bucket: 'photos', Key: 'a b/ü.jpg', Body: 'a body' }));
    t.equal(put.$metadata.httpStatusCode, 200);
    t.match(upstream.last, { method: 'PUT', target: '/photos/a%20b/%C3%BC.jpg?x-id=PutObject' });
    t.match(upstream.lastHeader('authorization'), []);
    const got = await client.send(new GetObjectCommand({ Bucket: 'photos', Key: 'a b/ü.jpg' }));
    t.equal(await got.Body?.transformToString(), 'served');
  }
});

/** Connects to one address, whatever name is asked for. */
class AgentTo extends Agent {
  readonly #address: string;

  constructor(address: string) {
    super();
    this.#address = address;
  }

  override createConnection(): Socket {
    const [host, port] = this.#address.split(':');
    return connect(Number(port), host ?? '');
  }
}
