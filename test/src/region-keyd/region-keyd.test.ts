import { createMtlsAgent, type CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  edgeReport,
  KeydError,
  mtlsKeySource,
  PeerClient,
  REPORT_PATH,
  SEALED_KEYS_TYPE,
  SERVICE_KEYS,
  type ServiceKeySource,
} from '@sigv4-keyd/hop-protocol';
import { configuration, startRegionKeyd } from '@sigv4-keyd/region-keyd';
import { createLogger, readConfiguration, type RunningService } from '@sigv4-keyd/service-skeleton';
import { exportKService, kDate, kRegion, kSecret, kService, scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { createHmac } from 'node:crypto';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { TestAuthority, TRUST_DOMAIN } from '../support/certificates.js';
import { day } from '../support/days.js';
import { recordingInto } from '../master-keyd/master-under-test.js';
import { askedAsEarlier } from '../support/earlier-release.js';
import { spellings } from '../support/spellings.js';
import { SmallMaster } from '../support/small-master.js';
import { newStateFolder } from '../support/state-folder.js';
import { TestFeed } from '../support/test-feed.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { tierSettings } from '../support/tier-settings.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const NOON = '2026-11-22T12:00:00Z';
const TODAY = scopeDateOf(Date.parse(NOON));

/** A region over a small master, both over real mTLS, and edges that ask it. */
async function setUp(t: Test): Promise<{
  readonly clock: VirtualClock;
  readonly master: SmallMaster;
  readonly authority: TestAuthority;
  readonly region: RunningService;
  readonly logged: string[];
  readonly clientOf: (credentials: CredentialsStore) => PeerClient;
  readonly edge: (region: string, service: string) => Promise<ServiceKeySource>;
}> {
  const folder = t.testdir();
  const clock = new VirtualClock(NOON);
  const feed = await TestFeed.create(clock);
  const authority = await TestAuthority.create(folder);
  const master = await SmallMaster.create(await authority.credentials({ role: 'master', name: 'm1' }), {
    AKIAONE: { secretAccessKey: SECRET },
    AKIAS3ONLY: { secretAccessKey: 'another secret', services: ['s3'] },
    AKIASHORT: { secretAccessKey: 'a third secret', expiresAt: Date.parse(NOON) + 60_000 },
  });
  const masterUrl = await master.listen();
  const files = await authority.filesOf({ role: 'region', region: 'us-east-1', name: 'r1' });
  const logged: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(chunk.toString());
      done();
    },
  });
  const region = await startRegionKeyd(
    readConfiguration(configuration, {
      ...tierSettings(files, feed.jwks, newStateFolder(t)),
      KEYD_LISTEN: '127.0.0.1:0',
      KEYD_LONGEST_PRESIGNED: '1h',
      KEYD_MASTERS: masterUrl.origin,
    }),
    {
      clock,
      log: createLogger({ service: 'region-keyd', level: 'trace', destination }),
      timer: STANDING_TIMER,
      random: () => 0.5,
    },
  );
  const clientOf = (credentials: CredentialsStore): PeerClient => {
    const dispatcher = createMtlsAgent({
      credentials,
      timer: STANDING_TIMER,
      acceptsServer: ({ segments }) => segments[0] === 'region',
    });
    t.teardown(() => dispatcher.close());
    return new PeerClient({
      urls: [new URL(`https://${region.addresses['hop'] ?? ''}`)],
      dispatcher,
      timer: STANDING_TIMER,
    });
  };
  t.teardown(async () => {
    await region.close();
    await master.app.close();
  });
  return {
    clock,
    master,
    authority,
    region,
    logged,
    clientOf,
    async edge(region, service) {
      const credentials = await authority.credentials({ role: 'edge', region, service, name: 'e1' });
      return mtlsKeySource(SERVICE_KEYS, { region, service }, clientOf(credentials));
    },
  };
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

t.test('an edge gets kService of its own service, as an independent derivation says', async (t) => {
  const { edge, master } = await setUp(t);
  const s3 = await (await edge('us-east-1', 's3')).issue({ date: TODAY, accessKeyIds: ['AKIAONE', 'AKIANONE'] });
  const expected = hmac(hmac(hmac(`AWS4${SECRET}`, TODAY), 'us-east-1'), 's3');
  const issued = s3.issued.get('AKIAONE');
  t.ok(issued && exportKService(issued.key).equals(expected));
  t.same([...s3.absent], [['AKIANONE', 'unknown']]);

  const api = await (await edge('us-east-1', 'execute-api')).issue({ date: TODAY, accessKeyIds: ['AKIAONE'] });
  const other = api.issued.get('AKIAONE');
  t.ok(other && exportKService(other.key).equals(hmac(hmac(hmac(`AWS4${SECRET}`, TODAY), 'us-east-1'), 'execute-api')));
  t.equal(master.asked.length, 1, 'one kRegion serves every service');
});

t.test('edges of this release and of earlier ones get the same, sealed and in the clear', async (t) => {
  const { authority, region } = await setUp(t);
  const credentials = await authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e0' });
  const dispatcher = createMtlsAgent({ credentials, timer: STANDING_TIMER, acceptsServer: () => true });
  t.teardown(() => dispatcher.close());
  const received: Buffer[] = [];
  const urls = [new URL(`https://${region.addresses['hop'] ?? ''}`)];
  const client = new PeerClient({
    urls,
    dispatcher: dispatcher.compose(recordingInto(received)),
    timer: STANDING_TIMER,
  });
  const scope = { region: 'us-east-1', service: 's3' };
  const request = { date: TODAY, accessKeyIds: ['AKIAONE', 'AKIANONE'] };
  const expected = hmac(hmac(hmac(`AWS4${SECRET}`, TODAY), 'us-east-1'), 's3');
  const shows = (): boolean => {
    const wire = Buffer.concat(received.splice(0));
    return spellings(expected).some((spelling) => wire.includes(spelling));
  };
  for (const [source, isShown] of [
    [mtlsKeySource(SERVICE_KEYS, scope, client), false],
    [askedAsEarlier(SERVICE_KEYS, scope, client), true],
  ] as const) {
    const { issued, absent } = await source.issue(request);
    const key = issued.get('AKIAONE')?.key;
    t.ok(key && exportKService(key).equals(expected));
    t.same([...absent], [['AKIANONE', 'unknown']]);
    t.equal(shows(), isShown, 'keys within TLS');
  }
  const call = { method: 'POST', path: SERVICE_KEYS.path, body: request, answer: z.any() } as const;
  const type = SEALED_KEYS_TYPE;
  const badly = { type, accept: `${type};to=nobody`, read: () => Promise.resolve(undefined) };
  await t.rejects(client.call({ ...call, otherForm: badly }), { code: 'malformed-request', detail: /X25519/ });
});

t.test('what an edge gets is decided by its certificate alone', async (t) => {
  const { edge, clientOf, authority } = await setUp(t);
  await t.rejects((await edge('eu-west-1', 's3')).issue({ date: TODAY, accessKeyIds: ['AKIAONE'] }), {
    code: 'role-not-allowed',
  });
  const roles = [
    { role: 'region', region: 'us-east-1', name: 'r2' },
    { role: 'master', name: 'm2' },
    { role: 'operator', name: 'alice' },
  ] as const;
  for (const identity of roles) {
    const client = clientOf(await authority.credentials(identity));
    for (const path of [SERVICE_KEYS.path, REPORT_PATH]) {
      const call = { method: 'POST', path, body: { date: TODAY, accessKeyIds: ['AKIAONE'] }, answer: z.any() } as const;
      await t.rejects(client.call(call), { code: 'role-not-allowed' }, `${identity.role} on ${path}`);
    }
  }
  const client = clientOf(
    await authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' }),
  );
  for (const scope of [
    { region: 'us-east-1' },
    { region: 'eu-west-1' },
    { service: 'execute-api' },
    { role: 'region' },
  ]) {
    const body = { date: TODAY, accessKeyIds: ['AKIAONE'], ...scope };
    await t.rejects(
      client.call({ method: 'POST', path: SERVICE_KEYS.path, body, answer: z.any() }),
      { code: 'malformed-request' },
      `a body that names ${JSON.stringify(scope)}`,
    );
  }
});

t.test('an access key that is restricted or has expired is not issued', async (t) => {
  const { edge, clock } = await setUp(t);
  const request = { date: TODAY, accessKeyIds: ['AKIAS3ONLY', 'AKIASHORT'] };
  t.same([...(await (await edge('us-east-1', 's3')).issue(request)).issued.keys()], ['AKIAS3ONLY', 'AKIASHORT']);
  const api = await edge('us-east-1', 'execute-api');
  t.same([...(await api.issue(request)).absent], [['AKIAS3ONLY', 'not-for-scope']]);
  await clock.advance(60_000);
  t.equal((await api.issue(request)).absent.get('AKIASHORT'), 'expired');
});

t.test('dates outside the window are refused in both directions, whatever the master would give', async (t) => {
  const { edge, master } = await setUp(t);
  const s3 = await edge('us-east-1', 's3');
  for (const date of ['20261120', '20261121', '20261124', '20271122', '20000101']) {
    await t.rejects(s3.issue({ date: day(date), accessKeyIds: ['AKIAONE'] }), { code: 'date-outside-window' }, date);
  }
  t.equal(master.asked.length, 0);
  t.equal(
    (await s3.issue({ date: day('20261123'), accessKeyIds: ['AKIAONE'] })).issued.size,
    1,
    'tomorrow from noon on',
  );
});

t.test('with the master down, held keys are served and others wait', async (t) => {
  const { edge, master, clock } = await setUp(t);
  const s3 = await edge('us-east-1', 's3');
  await s3.issue({ date: TODAY, accessKeyIds: ['AKIAONE'] });
  master.isDown = true;
  t.equal((await s3.issue({ date: TODAY, accessKeyIds: ['AKIAONE'] })).issued.size, 1);
  await t.rejects(s3.issue({ date: TODAY, accessKeyIds: ['AKIASHORT'] }), { code: 'database-unavailable' });
  master.isDown = false;
  await clock.advance(5_000);
  t.equal((await s3.issue({ date: TODAY, accessKeyIds: ['AKIASHORT'] })).issued.size, 1);
});

t.test('a master that answers for another region or date is not believed', async (t) => {
  const { edge, master, clock } = await setUp(t);
  const s3 = await edge('us-east-1', 's3');
  const lies: readonly object[] = [{ region: 'eu-west-1' }, { date: '20261121' }, { service: 's3' }, { issued: [] }];
  for (const lie of lies) {
    master.twist = (answer) => ({ ...answer, ...lie });
    await t.rejects(
      s3.issue({ date: TODAY, accessKeyIds: ['AKIAONE'] }),
      { code: 'parent-unavailable' },
      JSON.stringify(lie),
    );
    await clock.advance(5_000);
  }
  master.twist = (answer) => answer;
  t.equal(
    (await s3.issue({ date: TODAY, accessKeyIds: ['AKIAONE'] })).issued.size,
    1,
    'and nothing of the lies was kept',
  );
});

t.test('what the master refuses the region is the trouble of the region, not of the edge that asks it', async (t) => {
  const { edge, master, clock } = await setUp(t);
  const s3 = await edge('us-east-1', 's3');
  for (const code of ['identity-banned', 'too-many-requests', 'malformed-request'] as const) {
    master.twist = () => {
      throw new KeydError(code, { retryAfterSeconds: 3 });
    };
    for (const time of ['as it comes', 'while the region waits']) {
      await t.rejects(s3.issue({ date: TODAY, accessKeyIds: ['AKIAONE'] }), { code: 'parent-unavailable' }, time);
    }
    await clock.advance(10_000);
  }
});

t.test('malformed requests are told what is wrong', async (t) => {
  const { clientOf, authority } = await setUp(t);
  const client = clientOf(
    await authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' }),
  );
  const bodies: readonly unknown[] = [
    {},
    [],
    'x',
    { date: '20260230', accessKeyIds: ['AKIAONE'] },
    { date: TODAY, accessKeyIds: [] },
    { date: TODAY, accessKeyIds: ['AKIAONE', 'AKIAONE'] },
    { date: TODAY, accessKeyIds: ['../../etc'] },
    { date: TODAY, accessKeyIds: Array.from({ length: 5_001 }, (_, i) => `AKIA${i}`) },
  ];
  for (const body of bodies) {
    await t.rejects(
      client.call({ method: 'POST', path: SERVICE_KEYS.path, body, answer: z.any() }),
      { code: 'malformed-request', detail: /./ },
      JSON.stringify(body).slice(0, 60),
    );
  }
  await t.rejects(client.call({ method: 'GET', path: '/v1/secrets', answer: z.any() }), { code: 'not-found' });
  await t.rejects(
    client.call({ method: 'POST', path: SERVICE_KEYS.path, body: { x: 'x'.repeat(3_000_000) }, answer: z.any() }),
    { code: 'too-large' },
  );
});

t.test('reports go up, with the edges below', async (t) => {
  const { clientOf, authority, master, clock, edge, region } = await setUp(t);
  await (await edge('us-east-1', 's3')).issue({ date: TODAY, accessKeyIds: ['AKIAONE'] });
  const client = clientOf(
    await authority.credentials({ role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' }),
  );
  const at = new Date(clock.now()).toISOString();
  const window = { longestPresignedSeconds: 7_200, clockSkewSeconds: 900 };
  const body = edgeReport.parse({ startedAt: at, version: '0.1.0', heldDays: [], certificateExpiresAt: at, window });
  await client.call({ method: 'POST', path: REPORT_PATH, body, answer: z.undefined() });
  const before = master.reports.length;
  await clock.advance(5_000);
  while (master.reports.length === before) await new Promise(setImmediate);
  t.match(master.reports.at(-1), {
    heldDays: [{ date: TODAY, keys: 1 }],
    window: { longestPresignedSeconds: 3_600, clockSkewSeconds: 900 },
    edges: [{ spiffeId: `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/e1`, heardAt: at }],
  });
  const { warnings } = (await (await fetch(`http://${region.addresses['health'] ?? ''}/status`)).json()) as {
    warnings: [];
  };
  t.match(
    warnings.join(),
    /s3\/e1: .*7200s \+ 900s = 8100s.* 3600s \+ 900s = 4500s only/,
    'an edge that accepts for longer',
  );
});

t.test('no key stands in any log line, in any spelling', async (t) => {
  const { edge, logged } = await setUp(t);
  const s3 = await edge('us-east-1', 's3');
  await s3.issue({ date: TODAY, accessKeyIds: ['AKIAONE', 'AKIANONE'] });
  await t.rejects(s3.issue({ date: day('20261101'), accessKeyIds: ['AKIAONE'] }));
  const text = logged.join('');
  t.match(text, 'service-keys-issued', 'the log was captured');
  const region = hmac(hmac(`AWS4${SECRET}`, TODAY), 'us-east-1');
  const service = kService(kRegion(kDate(kSecret(SECRET), TODAY), 'us-east-1'), 's3');
  for (const key of [Buffer.from(SECRET), hmac(`AWS4${SECRET}`, TODAY), region, exportKService(service)]) {
    for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
      t.notOk(text.includes(key.toString(encoding)));
    }
  }
});

t.test('a certificate of another role, domain or date is told at start', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const feed = await TestFeed.create(new VirtualClock(NOON));
  const start = async (spiffeId: string, trustDomain = TRUST_DOMAIN): Promise<unknown> => {
    const files = await authority.files(spiffeId);
    const env = {
      ...tierSettings(files, feed.jwks, newStateFolder(t)),
      KEYD_TRUST_DOMAIN: trustDomain,
      KEYD_MASTERS: 'https://127.0.0.1:1',
    };
    const log = createLogger({ service: 'region-keyd', level: 'fatal' });
    return startRegionKeyd(readConfiguration(configuration, env), { clock: new VirtualClock(NOON), log });
  };
  for (const role of ['edge/us-east-1/s3/e1', 'master/m1', 'operator/alice', 'region/us-east-1', 'region/US/r1']) {
    await t.rejects(start(`spiffe://${TRUST_DOMAIN}/${role}`), { exitCode: 78, message: /role region/ }, role);
  }
  await t.rejects(start(`spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`, 'other.test'), {
    exitCode: 78,
    message: /other\.test/,
  });
});
