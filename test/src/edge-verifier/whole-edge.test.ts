import { configuration, startEdgeVerifier } from '@sigv4-keyd/edge-verifier';
import { encodeKeyAnswer, keyRequest, SERVICE_KEYS } from '@sigv4-keyd/hop-protocol';
import { configuration as regionConfiguration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import { createLogger, createMtlsApp, readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { SmallMaster } from '../support/small-master.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { ACCESS_KEY_ID, HOST, NOW, SECRET, send, signed } from './client.js';
import { DerivingParent } from './deriving-parent.js';
import { form } from './post-form-client.js';
import { RecordingUpstream } from './recording-upstream.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

interface Tiers {
  readonly clock: VirtualClock;
  readonly feed: TestFeed;
  readonly master: SmallMaster;
  /** Ends master and region. */
  readonly closeAbove: () => Promise<void>;
  readonly regionUrl: string;
  readonly authority: TestAuthority;
  readonly upstream: RecordingUpstream;
  readonly startEdge: (
    edge: { readonly region: string; readonly service: string },
    regions?: string,
    env?: Readonly<Record<string, string>>,
  ) => Promise<RunningService>;
}

const quiet = createLogger({ service: 'test', level: 'silent' });

/** A small master, a region and the means to start edges below it, all over real mTLS. */
async function startTiers(t: Test): Promise<Tiers> {
  const folder = t.testdir();
  const clock = new VirtualClock(NOW);
  const feed = await TestFeed.create(clock);
  const authority = await TestAuthority.create(folder);
  const master = await SmallMaster.create(await authority.credentials({ role: 'master', name: 'm1' }), {
    [ACCESS_KEY_ID]: { secretAccessKey: SECRET },
    AKIASECOND: { secretAccessKey: 'another-secret-of-these-tests' },
  });
  const masterUrl = await master.listen();
  const context = { clock, log: quiet, timer: STANDING_TIMER, random: () => 0.5 };
  const regionFiles = await authority.filesOf({ role: 'region', region: 'eu-west-1', name: 'r1' });
  const region = await startRegionKeyd(
    readConfiguration(regionConfiguration, {
      ...tierSettings(regionFiles, feed.jwks, newStateFolder(t)),
      KEYD_LISTEN: '127.0.0.1:0',
      KEYD_MASTERS: masterUrl.origin,
    }),
    context,
  );
  const upstream = await RecordingUpstream.start();
  const regionUrl = `https://${region.addresses['hop'] ?? ''}`;
  const running: RunningService[] = [];
  let isClosed = false;
  const closeAbove = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await region.close();
    await master.app.close();
  };
  t.teardown(async () => {
    await upstream.close();
    await Promise.all(running.map((service) => service.close()));
    await closeAbove();
  });
  const startEdge: Tiers['startEdge'] = async (edge, regions = regionUrl, env = {}) => {
    const files = await authority.filesOf({ role: 'edge', ...edge, name: 'e1' });
    // Fresh for as long as these tests take, with nothing above.
    const stateFolder = newStateFolder(t);
    await feed.seed(stateFolder);
    const settings = readConfiguration(configuration, {
      ...tierSettings(files, feed.jwks, stateFolder),
      KEYD_REGIONS: regions,
      KEYD_EXTERNAL_HOSTS: HOST,
      KEYD_PROXY_LISTEN: '127.0.0.1:0',
      KEYD_UPSTREAM: upstream.url,
      ...env,
    });
    const service = await startEdgeVerifier(settings, context);
    running.push(service);
    return service;
  };
  return { clock, feed, master, closeAbove, regionUrl, authority, upstream, startEdge };
}

interface HealthAnswer {
  readonly status: number;
  readonly body: unknown;
}

async function health(edge: RunningService, path: string): Promise<HealthAnswer> {
  const { statusCode, body } = await request(`http://${edge.addresses['health'] ?? ''}${path}`);
  return { status: statusCode, body: await body.json() };
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate);
}

t.test('keys come down from the master, and verify while all above is gone', async (t) => {
  const { clock, master, closeAbove, upstream, startEdge } = await startTiers(t);
  const edge = await startEdge({ region: 'eu-west-1', service: 's3' });
  const proxy = edge.addresses['proxy'] ?? '';
  t.equal((await send(proxy, signed())).status, 200);
  t.strictSame(upstream.lastHeader('x-keyd-access-key-id'), [ACCESS_KEY_ID]);
  t.equal((await send(proxy, signed({ secret: 'wrong' }))).status, 403);
  t.equal((await send(proxy, signed({ accessKeyId: 'AKIANOBODY' }))).headers['x-keyd-reason'], 'access-key-unknown');
  t.equal(master.asked.length, 2, 'one question an access key');

  await until(async () => (await health(edge, '/health/ready')).status === 200);
  t.match(await health(edge, '/status'), {
    body: {
      ready: true,
      identity: `spiffe://${TRUST_DOMAIN}/edge/eu-west-1/s3/e1`,
      heldDays: [{ date: '20261122', keys: 1 }],
      keys: { autonomySeconds: Number, daysHeld: 1, keysHeld: 1, misses: { asked: 2, absent: 1 } },
      regionReachable: true,
      certificateExpiresAt: String,
    },
  });

  await closeAbove();
  t.equal((await send(proxy, signed())).status, 200, 'a held key verifies');
  const unheld = await send(proxy, signed({ accessKeyId: 'AKIASECOND', secret: 'another-secret-of-these-tests' }));
  t.match(unheld, { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
  await clock.advance(5_000);
  await until(async () => JSON.stringify((await health(edge, '/status')).body).includes('"regionReachable":false'));
  t.equal((await health(edge, '/health/ready')).status, 200, 'ready while it holds keys of today');
});

t.test('an edge with its region out of reach starts, says that it is not ready, and answers', async (t) => {
  const { closeAbove, startEdge } = await startTiers(t);
  await closeAbove();
  const edge = await startEdge({ region: 'eu-west-1', service: 's3' });
  t.match(await health(edge, '/health/ready'), { status: 503, body: { notReady: [/region-keyd cannot be reached/] } });
  const reply = await send(edge.addresses['proxy'] ?? '', signed());
  t.match(reply, { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
});

t.test('an edge asks no region but its own', async (t) => {
  const { master, startEdge } = await startTiers(t);
  const stranger = await startEdge({ region: 'us-east-1', service: 's3' });
  const reply = await send(stranger.addresses['proxy'] ?? '', signed({ region: 'us-east-1' }));
  t.match(reply, { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } });
  t.equal(master.asked.length, 0);
});

t.test('an edge believes no server but a region-keyd of its own region, whatever it answers', async (t) => {
  const { authority, startEdge } = await startTiers(t);
  const impostors = [
    { role: 'region', region: 'us-east-1', name: 'r9' },
    { role: 'edge', region: 'eu-west-1', service: 's3', name: 'e9' },
    { role: 'master', name: 'm9' },
  ] as const;
  for (const impostor of impostors) {
    const credentials = await authority.credentials(impostor);
    const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log: quiet });
    let asked = 0;
    const route = { config: { mtls: { roles: ['edge'] } }, schema: { body: keyRequest } } as const;
    app.post(SERVICE_KEYS.path, route, async (call) => {
      asked += 1;
      const scope = { region: 'eu-west-1', service: 's3' };
      const parent = new DerivingParent(scope.region, scope.service);
      parent.secrets.set(ACCESS_KEY_ID, SECRET);
      return encodeKeyAnswer(SERVICE_KEYS, call.body.date, scope, await parent.issue(call.body));
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const edge = await startEdge({ region: 'eu-west-1', service: 's3' }, url);
    const reply = await send(edge.addresses['proxy'] ?? '', signed());
    t.match(reply, { status: 503, headers: { 'x-keyd-reason': 'keys-unavailable' } }, impostor.role);
    t.equal(asked, 0, `${impostor.role}: it was not even asked`);
    await app.close();
  }
});

t.test('settings that somebody should look at are warned of', async (t) => {
  const { startEdge } = await startTiers(t);
  const env = { KEYD_DEBUG_SIGNATURES: 'yes', KEYD_POST_FORMS: 'yes' };
  const s3 = await startEdge({ region: 'eu-west-1', service: 's3' }, undefined, env);
  t.match(await health(s3, '/status'), { body: { warnings: [/KEYD_DEBUG_SIGNATURES is on/] } });
  t.equal((await send(s3.addresses['proxy'] ?? '', form())).status, 200, 'a form, by keys that came down');
  const sqs = await startEdge({ region: 'eu-west-1', service: 'sqs' }, undefined, { KEYD_POST_FORMS: 'yes' });
  t.match(await health(sqs, '/status'), { body: { warnings: [/KEYD_POST_FORMS is on without effect/] } });
});

t.test('an edge of another service gets keys for that one only', async (t) => {
  const { startEdge } = await startTiers(t);
  const edge = await startEdge({ region: 'eu-west-1', service: 'sqs' });
  const proxy = edge.addresses['proxy'] ?? '';
  t.equal((await send(proxy, signed({ service: 'sqs' }))).status, 200);
  t.equal((await send(proxy, signed({ service: 's3' }))).headers['x-keyd-reason'], 'wrong-service');
});

t.test('a certificate of another role does not start an edge', async (t) => {
  const { authority, feed, regionUrl } = await startTiers(t);
  const files = await authority.filesOf({ role: 'region', region: 'eu-west-1', name: 'r2' });
  const settings = readConfiguration(configuration, {
    ...tierSettings(files, feed.jwks, newStateFolder(t)),
    KEYD_REGIONS: regionUrl,
    KEYD_EXTERNAL_HOSTS: HOST,
    KEYD_FORWARD_AUTH_LISTEN: '127.0.0.1:0',
  });
  const started = startEdgeVerifier(settings, { clock: new VirtualClock(NOW), log: quiet });
  await t.rejects(started, { message: /needs one for the role edge/ });
});
