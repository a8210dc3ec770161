import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  edgeKeysFrom,
  edgeKeysFromEnvironment,
  openEdgeKeys,
  type EdgeKeys,
  type EdgeKeysInput,
} from '@sigv4-keyd/edge-keys';
import {
  ACCEPTANCES_PATH,
  attestPublicKey,
  encodeKeyAnswer,
  keyRequest,
  rollupBatch,
  SERVICE_PUBLIC_KEYS,
  signSessionToken,
  spiffeIdOf,
  systemClock,
  type Clock,
  type RollupBatch,
} from '@sigv4-keyd/hop-protocol';
import { ConfigurationError, createLogger, OpenedParts } from '@sigv4-keyd/service-skeleton';
import { ecdsaPrivateKey, ecdsaPublicKey } from '@sigv4-keyd/sigv4-core';
import { staticSecrets, type Sigv4Options } from '@sigv4-keyd/sigv4-server';
import t, { type Test } from 'tap';
import { NOW, presigned, SECRET, send, signed, type Message } from '../edge-verifier/client.js';
import { ANN, BEN, FeedTiers, REGION, until } from '../feed/feed-tiers.js';
import { knownKeys, SITES, startSite, type Build, type Site } from '../sigv4-server/sites.js';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { SmallRegion } from '../support/small-region.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { tierSettings } from '../support/tier-settings.js';
import { VirtualClock } from '../support/virtual-clock.js';

const SERVICE = 'execute-api';
const TODAY = day('20261122');
const EDGE = { role: 'edge', region: REGION, service: SERVICE, name: 'api-1' } as const;

interface Surroundings {
  readonly authority: TestAuthority;
  readonly feed: TestFeed;
  readonly clock: Clock;
  /** Rings the ends of waits for the network. */
  readonly timer?: Clock;
}

/** What a program with keys of its own is told, below these regions. */
async function environmentOf(
  t: Test,
  { authority, feed }: Surroundings,
  regions: string,
): Promise<Readonly<Record<string, string>>> {
  const stateFolder = newStateFolder(t);
  await feed.seed(stateFolder);
  const all = tierSettings(await authority.filesOf(EDGE), feed.jwks, stateFolder);
  const own = Object.entries(all).filter(([name]) => name !== 'KEYD_HEALTH_LISTEN');
  return { ...Object.fromEntries(own), KEYD_REGIONS: regions };
}

interface Opened {
  readonly keys: EdgeKeys;
  readonly log: string[];
}

async function open(
  t: Test,
  around: Surroundings,
  regions: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Opened> {
  const log: string[] = [];
  const settings = edgeKeysFromEnvironment({ ...(await environmentOf(t, around, regions)), ...env });
  const destination = { write: (line: string) => log.push(line) };
  const keys = await openEdgeKeys(settings, {
    clock: around.clock,
    log: createLogger({ service: 'api', level: 'info', destination }),
    random: () => 0.5,
    ...(around.timer && { timer: around.timer }),
  });
  t.teardown(() => keys.close());
  return { keys, log };
}

/** `served`, or the reason of the refusal. */
async function verdictOn({ address }: Site, message: Message): Promise<string> {
  const { status, headers } = await send(address, message);
  return status === 200 ? 'served' : String(headers['x-keyd-reason']);
}

const { fastifySite, nodeSite } = SITES;

for (const [what, build] of [
  ['a Fastify app', fastifySite],
  ['a node:http server', nodeSite],
] as const satisfies readonly (readonly [string, Build])[]) {
  t.test(`${what} verifies with keys of its own, obeys revocations, and goes on alone`, async (t) => {
    const tiers = await FeedTiers.start(t);
    const { clock, feed, master } = tiers;
    await feed.publish();
    const region = await tiers.startRegion();
    const { keys } = await open(t, tiers, region.url, { KEYD_SOFT_HORIZON: '30s', KEYD_HARD_HORIZON: '2m' });
    const site = await startSite(t, build, { keys, now: () => clock.now() });
    const says = (accessKeyId: string, more: object = {}): Promise<string> =>
      verdictOn(site, signed({ accessKeyId, service: SERVICE, now: clock.now(), ...more }));

    t.equal(await says(ANN, { method: 'PUT', body: '{"order":7}' }), 'served');
    t.strictSame(site.seen, [{ accessKeyId: ANN, body: '{"order":7}' }]);
    t.equal(await says(BEN), 'served');
    t.equal(await says(ANN, { secret: 'wrong' }), 'signature-mismatch');
    t.equal(await says(ANN, { service: 's3' }), 'wrong-service', 'the certificate says which service this is');
    t.equal(await says('AKIANOBODY'), 'access-key-unknown');
    t.equal(master.asked.length, 3, 'one question an access key');

    await feed.revoke({ from: TODAY, to: TODAY, region: REGION, accessKeyId: ANN });
    await until(async () => (await says(ANN)) === 'scope-revoked');
    t.equal(clock.now(), NOW, 'the long poll brought it: no time has passed');
    t.equal(await says(BEN), 'served', 'whoever is not named is not hit');

    await region.close();
    await master.app.close();
    await clock.moveTo(NOW + 110_000);
    t.equal(await says(BEN), 'served', 'with master and region gone');
    t.equal(await says(ANN), 'scope-revoked', 'what was told stays told');
    t.same(keys.notReady(), []);
    await clock.moveTo(NOW + 130_000);
    t.equal(await says(BEN), 'feed-stale', 'silence has a limit');
    t.match(keys.notReady(), [/revocation feed/]);

    await keys.close();
    t.equal(await says(BEN), 'keys-unavailable', 'who hears of nothing any more accepts nothing');
  });
}

t.test('temporary credentials are verified with keys of an edge, and with no others', async (t) => {
  const tiers = await FeedTiers.start(t);
  const { clock, feed, master } = tiers;
  await feed.publish();
  const region = await tiers.startRegion();
  const { keys, log } = await open(t, tiers, region.url);
  const accessKeyId = 'ASIAOFTHISTEST';
  master.accessKeys.set(accessKeyId, { secretAccessKey: SECRET });
  const session = { accessKeyId, parentAccessKeyId: ANN, name: 'alice', createdAt: NOW, expiresAt: NOW + 3_600_000 };
  const sessionToken = await signSessionToken(session, feed.keys.revocation);
  const message = signed({ accessKeyId, sessionToken, service: SERVICE });
  const now = (): number => clock.now();
  const site = await startSite(t, SITES.nodeSite, { keys, now });
  t.equal(await verdictOn(site, message), 'served');
  t.match(log.join(''), new RegExp(`"parentAccessKeyId":"${ANN}","sessionName":"alice"`));
  t.equal(await verdictOn(site, signed({ accessKeyId, service: SERVICE })), 'session-token-required');
  await feed.change({ accessKeyId: ANN, status: 'disabled', secretVersion: 1 });
  await until(async () => (await verdictOn(site, message)) === 'access-key-disabled');

  const without = await startSite(t, SITES.nodeSite, { keys, now, sessionTokens: 'refused' });
  t.equal(await verdictOn(without, message), 'session-token-refused');
  const secrets = staticSecrets({ [accessKeyId]: SECRET }, { region: REGION, service: SERVICE });
  const ofSecrets = await startSite(t, SITES.nodeSite, { keys: secrets, now });
  t.equal(await verdictOn(ofSecrets, message), 'session-token-refused', 'secrets alone judge no token');
  t.equal(await verdictOn(ofSecrets, signed({ accessKeyId, service: SERVICE })), 'session-token-refused');
});

t.test('a revoked region is refused, and so is a request whose key was found before', async (t) => {
  const tiers = await FeedTiers.start(t);
  const { clock, feed } = tiers;
  await feed.publish();
  const region = await tiers.startRegion();
  const { keys } = await open(t, tiers, region.url);
  const scope = { date: TODAY, region: REGION, service: SERVICE, terminator: 'aws4_request' } as const;
  const finding = await keys.find(ANN, scope, 'AWS4-HMAC-SHA256', undefined);
  if (!finding.found) throw new Error(finding.reason);
  t.equal(finding.objection(), undefined);
  await feed.revoke({ from: TODAY, to: TODAY, region: REGION });
  await until(() => finding.objection() === 'scope-revoked');
  const site = await startSite(t, nodeSite, { keys, now: () => clock.now() });
  t.equal(await verdictOn(site, signed({ accessKeyId: ANN, service: SERVICE })), 'scope-revoked');
  const other = await keys.find(BEN, scope, 'AWS4-HMAC-SHA256', undefined);
  t.same(other, { found: false, reason: 'scope-revoked' });
  await keys.close();
  t.equal(finding.objection(), 'keys-unavailable');
});

interface BelowSmallRegion extends Surroundings {
  readonly region: SmallRegion;
  readonly url: string;
  /** Batches of accepted requests, as the region took them. */
  readonly taken: { readonly from: string; readonly batch: RollupBatch }[];
}

/** A region in small, which takes roll-ups and knows the public key of one access key. */
async function belowSmallRegion(t: Test, clock: Clock): Promise<BelowSmallRegion> {
  const feed = await TestFeed.create(clock);
  const authority = await TestAuthority.create(t.testdir());
  const credentials = await authority.credentials({ role: 'region', region: REGION, name: 'r1' });
  const region = await SmallRegion.create(credentials, REGION, SERVICE);
  region.parent.secrets.set(ANN, SECRET);
  const taken: BelowSmallRegion['taken'] = [];
  const forEdges = { config: { mtls: { roles: ['edge'] } } } as const;
  region.app.post(ACCEPTANCES_PATH, { ...forEdges, schema: { body: rollupBatch } }, (request, reply) => {
    taken.push({ from: spiffeIdOf(request.peer), batch: request.body });
    return reply.code(204).send();
  });
  region.app.post(SERVICE_PUBLIC_KEYS.path, { ...forEdges, schema: { body: keyRequest } }, ({ body: { date } }) => {
    const facts = { accessKeyId: ANN, version: 1, createdAt: 0 };
    const publicKey = ecdsaPublicKey(ecdsaPrivateKey(SECRET, ANN));
    const key = attestPublicKey(publicKey, { region: REGION, date, facts }, feed.keys.revocation);
    const issued = new Map([[ANN, { facts, key }]]);
    return encodeKeyAnswer(
      SERVICE_PUBLIC_KEYS,
      date,
      { region: REGION, service: SERVICE },
      { issued, absent: new Map() },
    );
  });
  const url = await region.app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => region.app.close());
  return { clock, feed, authority, region, url, taken };
}

t.test('what is accepted is logged and counted, and sent upwards', async (t) => {
  const clock = new VirtualClock(NOW);
  const around = await belowSmallRegion(t, clock);
  const stateFolder = newStateFolder(t);
  await around.feed.seed(stateFolder);
  const { keys, log } = await open(t, around, around.url, { KEYD_STATE_FOLDER: stateFolder });
  const site = await startSite(t, fastifySite, { keys, now: () => clock.now() });
  const draft = { accessKeyId: ANN, service: SERVICE };
  const own = `spiffe://keyd.test/edge/${REGION}/${SERVICE}/api-1`;
  for (let times = 0; times < 3; times += 1) t.equal(await verdictOn(site, signed(draft)), 'served');
  t.equal(await verdictOn(site, presigned(draft)), 'served');
  t.equal(await verdictOn(site, signed({ ...draft, secret: 'wrong' })), 'signature-mismatch');
  const lines = log.filter((line) => line.includes('request-accepted'));
  t.equal(lines.length, 4, 'a line each');
  t.match(JSON.parse(lines[0] ?? ''), {
    accessKeyId: ANN,
    scope: `20261122/${REGION}/${SERVICE}/aws4_request`,
    requestId: /./,
    pathSha256: /^[0-9a-f]{64}$/,
    edge: own,
  });
  const untilTaken = (batches: number): Promise<void> =>
    until(async () => {
      await clock.advance(1_000);
      return around.taken.length >= batches;
    });
  await untilTaken(1);
  t.equal(around.taken[0]?.from, own);
  t.same(
    around.taken[0]?.batch.rollups.map(({ accessKeyId, mechanism, count }) => [accessKeyId, mechanism, count]),
    [
      [ANN, 'header', 3],
      [ANN, 'presigned', 1],
    ],
  );
  t.equal(await verdictOn(site, signed({ ...draft, now: clock.now() })), 'served');
  await keys.close();
  await open(t, around, around.url, { KEYD_STATE_FOLDER: stateFolder });
  await untilTaken(2);
  t.match(around.taken[1]?.batch.rollups, [{ count: 1 }], 'what was accepted last outlived the process');
});

t.test('SigV4A is verified with public keys, where it was asked for', async (t) => {
  const clock = new VirtualClock(NOW);
  const around = await belowSmallRegion(t, clock);
  const { keys } = await open(t, around, around.url);
  const options: Partial<Sigv4Options> = { keys, now: () => clock.now() };
  const both = ['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'] as const;
  const draft = { accessKeyId: ANN, service: SERVICE, regionSet: ['eu-*'] };
  const site = await startSite(t, nodeSite, { ...options, algorithms: both });
  for (const message of [signed(draft), presigned(draft), signed({ accessKeyId: ANN, service: SERVICE })]) {
    t.equal(await verdictOn(site, message), 'served');
  }
  t.equal(await verdictOn(site, signed({ ...draft, secret: 'wrong' })), 'signature-mismatch');
  t.equal(await verdictOn(site, signed({ ...draft, regionSet: ['us-east-1'] })), 'region-not-in-set');
  const hmacOnly = await startSite(t, nodeSite, options);
  t.equal(await verdictOn(hmacOnly, signed(draft)), 'unsupported-algorithm');
});

t.test('temporary credentials are judged by their tokens', async (t) => {
  const clock = new VirtualClock(NOW);
  const around = await belowSmallRegion(t, clock);
  const temporary = 'ASIAINTHISPROCESS';
  around.region.parent.secrets.set(temporary, SECRET);
  const session = {
    accessKeyId: temporary,
    parentAccessKeyId: ANN,
    createdAt: NOW - 1_000,
    expiresAt: NOW + 60_000,
  };
  const { keys, log } = await open(t, around, around.url);
  const site = await startSite(t, fastifySite, { keys, now: () => clock.now() });
  const sessionToken = await signSessionToken(session, around.feed.keys.revocation);
  const draft = { accessKeyId: temporary, service: SERVICE, sessionToken };
  t.equal(await verdictOn(site, signed(draft)), 'served');
  t.match(JSON.parse(log.find((line) => line.includes('request-accepted')) ?? ''), { parentAccessKeyId: ANN });
  t.equal(await verdictOn(site, signed({ accessKeyId: temporary, service: SERVICE })), 'session-token-required');
  const forged = await signSessionToken(session, (await TestFeed.create(clock)).keys.revocation);
  t.equal(await verdictOn(site, signed({ ...draft, sessionToken: forged })), 'malformed-session-token');
  const refusing = await startSite(t, nodeSite, { keys, now: () => clock.now(), sessionTokens: 'refused' });
  t.equal(await verdictOn(refusing, signed(draft)), 'session-token-refused');
  const withSecrets = await startSite(t, nodeSite, { keys: knownKeys(SERVICE), now: () => clock.now() });
  t.equal(await verdictOn(withSecrets, signed(draft)), 'session-token-refused', 'static secrets judge no token');
  await clock.advance(61_000);
  t.equal(await verdictOn(site, signed({ ...draft, now: clock.now() })), 'session-token-expired');
});

t.test('nothing is accepted for longer than keys are held', async (t) => {
  const clock = new VirtualClock(NOW);
  const around = await belowSmallRegion(t, clock);
  const window = { KEYD_LONGEST_PRESIGNED: '1h', KEYD_CLOCK_SKEW: '5m' };
  const { keys } = await open(t, around, around.url, window);
  t.same(keys.window, { longestPresignedSeconds: 3_600, clockSkewSeconds: 300 });
  const now = (): number => clock.now();
  const site = await startSite(t, nodeSite, { keys, now });
  const draft = { accessKeyId: ANN, service: SERVICE };
  t.equal(await verdictOn(site, presigned({ ...draft, expiresSeconds: 3_600 })), 'served');
  t.equal(await verdictOn(site, presigned({ ...draft, expiresSeconds: 3_601 })), 'expires-too-long');
  t.equal(await verdictOn(site, signed({ ...draft, now: NOW - 6 * 60_000 })), 'request-too-old');
  await t.rejects(startSite(t, nodeSite, { keys, now, clockSkewSeconds: 301 }), /between 1 and 300, as keys are held/);
  await t.rejects(startSite(t, nodeSite, { keys, now, presigned: { longestSeconds: 3_601 } }), /as keys are held/);
  const none = await open(t, around, around.url, { KEYD_PRESIGNED: 'no' });
  const refusing = await startSite(t, nodeSite, { keys: none.keys, now });
  t.equal(await verdictOn(refusing, presigned(draft)), 'presigned-refused');
});

function problemsOf(input: EdgeKeysInput): readonly string[] {
  try {
    edgeKeysFrom(input);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.toSorted();
    throw error;
  }
  return [];
}

t.test('settings come from the environment or an object, and all problems are told at once', async (t) => {
  const clock = new VirtualClock(NOW);
  const around = { clock, feed: await TestFeed.create(clock), authority: await TestAuthority.create(t.testdir()) };
  const env = await environmentOf(t, around, 'https://127.0.0.1:1,https://127.0.0.1:2');
  const feedKeysFile = join(mkdtempSync(join(t.testdirName, 'feed-')), 'feed-keys.json');
  writeFileSync(feedKeysFile, around.feed.jwks);
  const given = {
    trustDomain: env['KEYD_TRUST_DOMAIN'] ?? '',
    tlsCert: env['KEYD_TLS_CERT'] ?? '',
    tlsKey: env['KEYD_TLS_KEY'] ?? '',
    tlsCa: env['KEYD_TLS_CA'] ?? '',
    stateFolder: env['KEYD_STATE_FOLDER'] ?? '',
    regions: 'https://127.0.0.1:1,https://127.0.0.1:2',
    ledgerKeys: env['KEYD_LEDGER_KEYS'] ?? '',
    feedKeysFile,
  };
  t.same(edgeKeysFrom(given), edgeKeysFromEnvironment(env));
  t.match(problemsOf({ ...given, regions: 'http://x', clockSkew: '2h', softHorizon: '13h' }), [
    /KEYD_CLOCK_SKEW/,
    /KEYD_REGIONS/,
    /KEYD_SOFT_HORIZON .*must be below KEYD_HARD_HORIZON/,
  ]);
  t.equal(problemsOf({}).length, 8, 'everything that is missing');
  t.match(problemsOf(Object.assign({ hardHorizonn: '1h' }, given)), [/KEYD_HARD_HORIZONN is not a setting/]);
});

t.test('what cannot be opened leaves nothing behind, and what is closed neither', async (t) => {
  const clock = new VirtualClock(NOW);
  const around = await belowSmallRegion(t, clock);
  const env = await environmentOf(t, around, around.url);
  const log = createLogger({ service: 'api', level: 'silent' });
  const badKeys = edgeKeysFromEnvironment({ ...env, KEYD_FEED_KEYS: '{"keys":[]}' });
  await t.rejects(openEdgeKeys(badKeys, { clock, log }), { name: 'StartError', message: /KEYD_FEED_KEYS/ });
  t.equal(clock.pending, 0);
  const { cert, key } = await around.authority.filesOf({ role: 'region', region: REGION, name: 'r2' });
  const badRole = edgeKeysFromEnvironment({ ...env, KEYD_TLS_CERT: cert, KEYD_TLS_KEY: key });
  await t.rejects(openEdgeKeys(badRole, { clock, log }), { name: 'StartError', message: /role edge/ });
  t.equal(clock.pending, 0);
  const keys = await openEdgeKeys(edgeKeysFromEnvironment(env), { clock, log });
  const scope = { date: TODAY, region: REGION, service: SERVICE, terminator: 'aws4_request' } as const;
  t.match(await keys.find(ANN, scope, 'AWS4-HMAC-SHA256', undefined), { found: true });
  await clock.advance(60_000);
  t.ok(clock.pending > 0);
  await keys.close();
  t.equal(clock.pending, 0);
  await keys.close();
});

t.test('what was opened is closed in reverse order, whatever fails on the way', async (t) => {
  const closed: string[] = [];
  const parts = new OpenedParts();
  parts.add(() => closed.push('first'));
  parts.add(() => {
    closed.push('second');
    throw new Error('the second cannot be closed');
  });
  parts.add(async () => {
    await Promise.resolve();
    closed.push('third');
    throw new Error('nor can the third');
  });
  await t.rejects(parts.close(), { message: 'nor can the third' });
  t.strictSame(closed, ['third', 'second', 'first']);
  await parts.close();
  t.equal(closed.length, 3, 'once');
});

t.test('a restart finds what was held when the program closed, with its region out of reach', async (t) => {
  const clock = new VirtualClock(NOW);
  const around = await belowSmallRegion(t, clock);
  const env = await environmentOf(t, around, around.url);
  const context = { clock, log: createLogger({ service: 'api', level: 'silent' }), timer: new VirtualClock(0) };
  const scope = { date: TODAY, region: REGION, service: SERVICE, terminator: 'aws4_request' } as const;
  const found = (keys: EdgeKeys): Promise<boolean> =>
    Promise.resolve(keys.find(ANN, scope, 'AWS4-HMAC-SHA256', undefined)).then((finding) => finding.found);
  const first = await openEdgeKeys(edgeKeysFromEnvironment(env), context);
  t.ok(await found(first));
  await first.close();
  await around.region.app.close();
  const second = await openEdgeKeys(edgeKeysFromEnvironment(env), context);
  t.teardown(() => second.close());
  t.ok(await found(second));
  t.same(second.notReady(), []);
});

t.test('a program ends by itself once its server and its keys are closed', async (t) => {
  const around = await belowSmallRegion(t, systemClock);
  const program = fileURLToPath(new URL('small-api.js', import.meta.url));
  const env = await environmentOf(t, around, around.url);
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [address] = (await once(child.stdout, 'data')) as [Buffer];
  const site = { address: address.toString().trim(), seen: [] };
  const draft = { accessKeyId: ANN, service: SERVICE, now: Date.now() };
  t.equal(await verdictOn(site, signed(draft)), 'served');
  await until(() => around.region.asked.some(({ wait }) => wait > 0));
  child.kill('SIGTERM');
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  t.same([code, signal], [0, null], 'neither a timer nor a connection keeps it');
});
