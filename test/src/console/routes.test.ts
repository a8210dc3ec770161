import { PAGE_HEADERS, readConsoleFiles } from '@sigv4-keyd/console';
import { createMtlsAgent, type CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { addDays } from '@sigv4-keyd/sigv4-core';
import { overview, type Overview } from '@sigv4-keyd/hop-protocol';
import t, { type Test } from 'tap';
import type { Dispatcher } from 'undici';
import { startMaster, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { watchedMaster } from './watched-master.js';
import { STANDING_TIMER } from '../support/standing-timer.js';

t.setTimeout(120_000);

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

type Ask = (
  method: Dispatcher.HttpMethod,
  path: string,
  headers?: Readonly<Record<string, string>>,
  body?: string,
) => Promise<Answer>;

/** Requests with any headers, over mTLS. */
function askerOf(t: Test, master: MasterUnderTest, credentials: CredentialsStore): Ask {
  const agent = createMtlsAgent({
    credentials,
    timer: STANDING_TIMER,
    acceptsServer: ({ segments }) => segments[0] === 'master',
  });
  t.teardown(() => agent.close());
  const origin = `https://${master.service.addresses['hop'] ?? ''}`;
  return async (method, path, headers = {}, body) => {
    const answer = await agent.request({ origin, path, method, headers, ...(body !== undefined && { body }) });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  };
}

const REVOCATION = JSON.stringify({ from: '20261122', incident: 'INC-1', reason: 'a test' });
const JSON_TYPE = { 'content-type': 'application/json' };

t.test('the page: for operators, whole, under a policy that lets nothing else in', async (t) => {
  const master = await startMaster(t);
  const operator = askerOf(t, master, await master.authority.credentials({ role: 'operator', name: 'alice' }));
  const files = await readConsoleFiles();
  for (const { path, type, body } of files) {
    const { status, headers, text } = await operator('GET', path);
    t.match({ status, text }, { status: 200, text: body.toString() }, path);
    t.match(headers, { ...PAGE_HEADERS, 'content-type': type }, path);
  }
  const policy = PAGE_HEADERS['content-security-policy'] ?? '';
  for (const directive of ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) {
    t.ok(policy.includes(directive), directive);
  }
  t.notMatch(policy, /unsafe|https?:|\*|data:/);

  const paths = new Set(files.map(({ path }) => path));
  for (const { path, body } of files) {
    const text = body.toString();
    const named = [...text.matchAll(/(?:\bfrom '|\bimport '|\bsrc="|rel="stylesheet" href=")([^'"]+)['"]/g)];
    for (const [, name = ''] of named)
      t.ok(paths.has(new URL(name, `https://host${path}`).pathname), `${path}: ${name}`);
    // What is handed out as a file has a style of its own; it never becomes a part of the page.
    if (path.endsWith('/report-page.js')) continue;
    t.notMatch(
      text,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|\son[a-z]+="|style="|<style/,
      path,
    );
  }
  t.ok(files.some(({ path }) => path.endsWith('main.js')));

  for (const identity of [
    { role: 'region', region: 'us-east-1', name: 'r1' },
    { role: 'edge', region: 'us-east-1', service: 's3', name: 'e1' },
    { role: 'master', name: 'm2' },
  ] as const) {
    const ask = askerOf(t, master, await master.authority.credentials(identity));
    for (const path of ['/console/', '/console/main.js', '/v1/overview']) {
      t.match(await ask('GET', path), { status: 403, text: /role-not-allowed/ }, `${identity.role} ${path}`);
    }
  }
  for (const path of [
    '/console/../package.json',
    '/console/%2e%2e/package.json',
    '/console/.tsbuildinfo',
    '/console',
  ]) {
    t.equal((await operator('GET', path)).status, 404, path);
  }
});

t.test('a browser is served for the pages of this master only, whatever certificate it shows', async (t) => {
  const master = await startMaster(t);
  const ask = askerOf(t, master, await master.authority.credentials({ role: 'operator', name: 'alice' }));
  const host = master.service.addresses['hop'] ?? '';
  const own = { origin: `https://${host}`, 'sec-fetch-site': 'same-origin' };
  const page = { ...own, ...JSON_TYPE, 'x-keyd-console': 'page' };
  const dry = JSON.stringify({ ...(JSON.parse(REVOCATION) as object), dryRun: true });

  t.equal((await ask('GET', '/console/', { 'sec-fetch-site': 'none' })).status, 200, 'a person typed the address');
  t.equal((await ask('GET', '/v1/overview', { 'sec-fetch-site': 'same-origin' })).status, 200, 'the page asks');
  t.equal((await ask('POST', '/v1/revocations', page, dry)).status, 200, 'the page asks for a dry run');
  t.equal((await ask('POST', '/v1/revocations', JSON_TYPE, dry)).status, 200, 'keydctl is no browser');
  const nobody = '/v1/identity-bans?spiffeId=spiffe%3A%2F%2Fkeyd.test%2Fregion%2Fa%2Fb';
  t.match(await ask('DELETE', nobody, page, '{}'), { status: 404, text: /is not banned/ }, 'the page lets somebody in');

  const hostile: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['another site', { ...page, 'sec-fetch-site': 'cross-site' }],
    ['another port of this host', { ...page, 'sec-fetch-site': 'same-site' }],
    ['the origin of another site', { ...page, origin: 'https://evil.example' }],
    [
      'the origin of another site, and nothing else',
      { ...JSON_TYPE, 'x-keyd-console': 'page', origin: 'https://evil.example' },
    ],
    ['no origin to speak of', { ...page, origin: 'null' }],
    ['the same host without TLS', { ...page, origin: `http://${host}` }],
    ['a name that is pointed at us', { ...page, host: 'evil.example', origin: 'https://evil.example' }],
    ['a name that is pointed at us, without an origin', { 'sec-fetch-site': 'same-origin', host: 'evil.example' }],
    ['no host that can be read', { ...page, host: 'a b' }],
  ];
  for (const [name, headers] of hostile) {
    for (const path of ['/console/', '/console/main.js', '/v1/overview', '/v1/revocations', '/v1/access-keys']) {
      t.match(await ask('GET', path, headers), { status: 403, text: /cross-site/ }, `${name}: GET ${path}`);
    }
    t.match(await ask('POST', '/v1/revocations', headers, REVOCATION), { status: 403, text: /cross-site/ }, name);
    const ban = '/v1/identity-bans?spiffeId=spiffe%3A%2F%2Fkeyd.test%2Fregion%2Fa%2Fb';
    t.match(await ask('DELETE', ban, headers), { status: 403, text: /cross-site/ }, `${name}: DELETE`);
  }
  const withoutHeader = Object.fromEntries(Object.entries(page).filter(([name]) => name !== 'x-keyd-console'));
  const forms: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['what a form can send', { ...own, 'content-type': 'text/plain' }],
    ['a form with our header', { ...page, 'content-type': 'text/plain' }],
    ['a form with fields', { ...page, 'content-type': 'application/x-www-form-urlencoded' }],
    ['without our header', withoutHeader],
    ['typed in by a person', { ...page, 'sec-fetch-site': 'none' }],
  ];
  for (const [name, headers] of forms) {
    t.match(await ask('POST', '/v1/revocations', headers, REVOCATION), { status: 403, text: /cross-site/ }, name);
  }
  const plain = await ask('POST', '/v1/revocations', { 'content-type': 'text/plain' }, REVOCATION);
  t.match(plain, { status: 400, text: /MEDIA_TYPE/ }, 'an old browser that says nothing of itself, with a form');
  t.match(JSON.parse((await ask('GET', '/v1/revocations')).text), { revocations: [] }, 'none of them revoked a thing');
  t.match((await ask('GET', '/v1/overview', own)).headers, PAGE_HEADERS, 'nor is an answer read elsewhere');
});

t.test('the overview: regions and days, tiers, the ledger, and how far a revocation has come', async (t) => {
  const { master, report, keydctl, today, feedVersion } = await watchedMaster(t);
  const operator = await master.operator();
  const look = (): Promise<Overview> => operator.call({ method: 'GET', path: '/v1/overview', answer: overview });
  await report(1);
  const before = await look();
  t.equal(before.today, today);
  t.equal(before.days.at(-1), addDays(today, 1), 'tomorrow is shown');
  t.same(
    before.regions.map(({ region, replicas, edges }) => ({ region, replicas, edges })),
    ['eu-west-1', 'us-east-1'].map((region) => ({
      region,
      replicas: { known: 1, up: 1 },
      edges: { known: 3, up: 3 },
    })),
  );
  const cell = (from: Overview, region: string, date: string) =>
    from.regions.find((row) => row.region === region)?.days.find((day) => day.date === date);
  t.same(cell(before, 'us-east-1', today), {
    date: today,
    issued: 2,
    edgesHolding: 3,
    mostKeysHeld: 2,
    revoked: 'none',
    incidents: [],
  });
  t.match(cell(before, 'us-east-1', addDays(today, 1)), { issued: 0, edgesHolding: 1, mostKeysHeld: 2 }, 'filling up');
  t.match(cell(before, 'us-east-1', addDays(today, -3)), { issued: 0, edgesHolding: 0 });
  t.equal(before.tierCount, 1 + 1 + 2 + 6);
  t.equal(before.operator, `spiffe://${TRUST_DOMAIN}/operator/alice`);
  t.match(before.tiers[0], { role: 'master', state: 'up' });
  t.match(before.tiers[1], { role: 'deputy', state: 'up', grantedDays: [today, addDays(today, 1)] });
  t.match(before.tiers.at(-1), { role: 'edge', state: 'up', feed: { version: 1 } });
  const edges = before.tiers.filter(({ role }) => role === 'edge').map(({ spiffeId }) => spiffeId);
  t.same(edges, edges.toSorted(), 'a second more or less of autonomy moves no row');
  t.equal(before.ledger.seenBy.length, 0);

  await keydctl('revoke', '--region', 'us-east-1', '--from', today, '--incident', 'INC-7', '--reason', 'lost', '--yes');
  await keydctl(
    'revoke',
    '--service',
    's3',
    '--from',
    addDays(today, -1),
    '--to',
    addDays(today, -1),
    '--incident',
    'INC-8',
    '--reason',
    'lost',
    '--yes',
  );
  const named = await feedVersion();
  await report(1);
  const made = await look();
  t.match(cell(made, 'us-east-1', today), {
    revoked: 'all',
    incidents: ['INC-7'],
    confirmed: { concerned: 3, reached: 0 },
  });
  t.match(cell(made, 'eu-west-1', today), { revoked: 'none', incidents: [] });
  t.match(cell(made, 'eu-west-1', addDays(today, -1)), {
    revoked: 'some',
    incidents: ['INC-8'],
    confirmed: { concerned: 2, reached: 0 },
  });
  const reach = ({ revocations }: Overview) => revocations.map(({ incident, edges }) => [incident, edges]);
  t.same(reach(made), [
    ['INC-8', { concerned: 4, reached: 0 }],
    ['INC-7', { concerned: 3, reached: 0 }],
  ]);
  t.equal(made.revocations[1]?.waitingFor.length, 3);

  await report(named - 1);
  t.same(
    (await look()).revocations.map(({ incident, edges }) => [incident, edges.reached]),
    [
      ['INC-8', 0],
      ['INC-7', 3],
    ],
    'a beacon reaches with what it names, and not with what came after it',
  );
  await report(named, { without: 'us-east-1/s3/e2' });
  const reached = await look();
  t.match(cell(reached, 'us-east-1', today), { confirmed: { concerned: 2, reached: 2 } });
  t.same(reach(reached), [
    ['INC-8', { concerned: 3, reached: 3 }],
    ['INC-7', { concerned: 2, reached: 2 }],
  ]);
  await master.clock.advance(60_000);
  const late = await look();
  t.match(late.regions[0]?.edges, { known: 3, up: 0 }, 'who is silent is not up');
  t.ok(late.tiers.filter(({ role }) => role === 'edge').every(({ state }) => state === 'silent'));
});
