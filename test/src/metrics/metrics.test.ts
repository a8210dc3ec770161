import { createSecretKey, randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ERRORS, KeydError } from '@sigv4-keyd/hop-protocol';
import { grantReadings } from '@sigv4-keyd/deputy-keyd';
import { fileCustody, SealBroken, watchCustody } from '@sigv4-keyd/master-keyd';
import { METRICS, Metrics } from '@sigv4-keyd/service-skeleton';
import { ERROR_CODES } from '@sigv4-keyd/sigv4-answers';
import { scopeDateOf, startOfScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { z } from 'zod';
import { startSigner } from '../custody/signer-under-test.js';
import { grant, keysOf, ON, wiredDeputy } from '../deputies/wired-deputy.js';
import { wiredMaster } from '../ledger-wired/wired-master.js';
import { TODAY } from '../master-keyd/master-under-test.js';
import { environmentOf } from '../edge-verifier/edge-under-test.js';
import { send, signed } from '../edge-verifier/client.js';
import { OutageStack, type Tier } from '../outages/outage-stack.js';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { freePort } from '../support/free-port.js';
import { newStateFolder } from '../support/state-folder.js';
import { tierSettings } from '../support/tier-settings.js';
import { TestFeed } from '../support/test-feed.js';
import { until } from '../support/victim.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { scrape, valueAt } from './scrape.js';

t.setTimeout(170_000);

const REGION = 'eu-west-1';
const TIERS = { master: 'master-keyd', region: 'region-keyd', edge: 'edge-verifier' } as const;
const TIER_NAMES = ['master', 'region', 'edge'] as const;

/** The metric that a sample belongs to: a histogram has samples of three names. */
function metricOf(name: string): string {
  const whole = name.replace(/_(?:bucket|sum|count)$/, '');
  return METRICS[whole]?.type === 'histogram' ? whole : name;
}

t.test('every tier tells what is defined, of closed sets, and how it is', async (t) => {
  const stack = await OutageStack.start(t, '09:00');
  const accessKey = await stack.createAccessKey('ann-the-owner');
  const { accessKeyId, secretAccessKey: secret } = accessKey;
  const of = (tier: Tier): ReturnType<OutageStack['scrape']> => stack.scrape(tier);
  const value = async (tier: Tier, name: string, labels = {}): Promise<number | undefined> =>
    (await of(tier)).value(name, labels);
  t.equal(await stack.verdictOn(accessKey), 'served');
  t.equal(await stack.verdictOn({ ...accessKey, secretAccessKey: 'wrong' }), 'signature-mismatch');

  await t.test('what was counted', async (t) => {
    const edge = await of('edge');
    t.equal(edge.value('keyd_requests_accepted_total', { mechanism: 'header', algorithm: 'AWS4-HMAC-SHA256' }), 1);
    t.equal(edge.value('keyd_requests_refused_total', { reason: 'signature-mismatch' }), 1);
    t.equal(edge.value('keyd_requests_refused_total', { reason: 'feed-stale' }), 0, 'those that never were begin at 0');
    t.equal(edge.value('keyd_verification_seconds_count', { verdict: 'accepted' }), 1);
    t.equal(edge.value('keyd_verification_seconds_count', { verdict: 'refused' }), 1);
    t.equal(edge.value('keyd_key_misses_total', { outcome: 'asked' }), 1);
    const region = await of('region');
    t.equal(region.value('keyd_hop_request_seconds_count', { route: '/v1/service-keys' }), 1);
    t.equal(region.value('keyd_budget_keys_total', { role: 'edge' }), 1);
    t.equal(await value('master', 'keyd_budget_keys_total', { role: 'region' }), 1);
    t.equal(await value('master', 'keyd_hop_request_seconds_count', { route: '/v1/region-keys' }), 1);
  });

  await t.test('how it is', async (t) => {
    for (const tier of TIER_NAMES) {
      const one = await of(tier);
      t.equal(one.value('keyd_ready'), 1, tier);
      t.equal(one.value('keyd_build_info', { service: TIERS[tier] }), 1);
      t.equal(one.value('keyd_confined'), 0, 'as this very test is not');
      t.ok((one.value('keyd_feed_version') ?? 0) > 0);
      t.ok((one.value('keyd_feed_age_seconds') ?? Infinity) < 60);
      const ends = one.value('keyd_certificate_not_after_timestamp_seconds') ?? 0;
      const begins = one.value('keyd_certificate_not_before_timestamp_seconds') ?? 0;
      t.ok(begins < ends);
      t.equal(one.value('keyd_certificate_expiry_seconds'), ends - stack.clock.now() / 1000);
    }
    for (const tier of ['region', 'edge'] as const) {
      const one = await of(tier);
      t.equal(one.value('keyd_keys_held', { kind: 'ladder', day: 'today' }), 1, tier);
      t.equal(one.value('keyd_keys_held', { kind: 'ladder', day: 'tomorrow' }), 0);
      t.equal(one.value('keyd_days_held'), 1);
      t.ok((one.value('keyd_autonomy_seconds') ?? Infinity) <= 15 * 3600, 'until the end of today');
      t.equal(one.value('keyd_midnight_due'), 0);
      t.equal(one.value('keyd_midnight_ready'), 0);
      t.equal(one.value('keyd_feed_stale', { horizon: 'soft' }), 0);
    }
    t.equal(await value('region', 'keyd_edges_heard'), 1);
    const master = await of('master');
    t.equal(master.value('keyd_database_up'), 1);
    t.equal(master.value('keyd_custody_up'), 1);
    t.equal(master.value('keyd_custody_recoverable', { keeper: 'file' }), 0, 'nobody made shares of a recovery key');
    t.equal(master.value('keyd_deputy_grants'), 0);
    t.equal(master.value('keyd_feed_publisher'), 1);
    t.equal(master.value('keyd_ledger_gaps', { kind: 'set-back' }), 0);
  });

  await t.test('statements in force', async (t) => {
    const { accessKeyId: lost } = await stack.createAccessKey('bob');
    const scope = ['--access-key', lost, '--from', new Date(stack.clock.now()).toISOString().slice(0, 10)];
    await stack.keydctl('revoke', ...scope, '--incident', 'INC-1', '--reason', 'a laptop was lost', '--yes');
    await until(async () => {
      await stack.leap(500);
      return (await value('edge', 'keyd_feed_statements')) === 1;
    });
    t.equal(await value('master', 'keyd_feed_statements'), 1);
    t.equal(await value('region', 'keyd_feed_statements'), 1);
  });

  await t.test('nothing but what is defined, and no label that a client, peer or operator chooses', async (t) => {
    const before = (await of('edge')).samples.length;
    for (let i = 0; i < 20; i += 1) {
      const madeUp = { accessKeyId: `AKIAMADEUP${String(i)}`, method: 'PUT', target: `/madeup-${String(i)}` };
      await send(stack.proxy, signed({ ...madeUp, now: stack.clock.now() }));
      await send(stack.proxy, signed({ region: `madeup-${String(i)}`, secret, accessKeyId, now: stack.clock.now() }));
      await send(stack.proxy, { ...signed({ accessKeyId, secret, now: stack.clock.now() }), method: 'MADEUP' });
    }
    await t.rejects(stack.keydctl('access-key', 'show', 'AKIAMADEUPNOBODY'));
    t.equal((await of('edge')).samples.length, before, 'sixty clients later there is not one sample more');
    t.equal(
      await value('master', 'keyd_hop_errors_total', { route: '/v1/access-keys/:accessKeyId', code: 'not-found' }),
      1,
    );
    for (const tier of TIER_NAMES) {
      const { samples, types, text } = await of(tier);
      const own = Object.entries(METRICS).filter(([, { services }]) => services.includes(TIERS[tier]));
      t.strictSame(types, new Map(own.map(([metric, { type }]) => [metric, type])), `${tier}: what is defined`);
      const odd = samples.filter(({ name, labels, value }) => {
        const definition = METRICS[metricOf(name)];
        const known = [...Object.keys(definition?.labels ?? {}), ...(definition?.type === 'histogram' ? ['le'] : [])];
        const { reason = 'signature-mismatch', code = 'not-found' } = labels;
        const isClosed = reason in ERROR_CODES && code in ERRORS;
        return !isClosed || Number.isNaN(value) || Object.keys(labels).some((label) => !known.includes(label));
      });
      t.strictSame(odd, [], `${tier}: numbers with the labels that are defined, of closed sets`);
      for (const hidden of [accessKeyId, secret, 'MADEUP', 'madeup', 'ann-the-owner', 'spiffe:', 'INC-1']) {
        t.notOk(text.includes(hidden), `${tier} does not tell ${hidden.slice(0, 8)}`);
      }
    }
  });

  await t.test('in the evening midnight may come', async (t) => {
    await stack.leap(9.5 * 3_600_000);
    await stack.untilFresh();
    await until(async () => {
      await stack.leap(1_000);
      return (await value('edge', 'keyd_midnight_ready')) === 1;
    });
    for (const tier of ['region', 'edge'] as const) {
      const one = await of(tier);
      t.equal(one.value('keyd_midnight_due'), 1, tier);
      t.equal(one.value('keyd_midnight_ready'), 1);
      t.equal(one.value('keyd_keys_held', { kind: 'ladder', day: 'tomorrow' }), 1);
      t.equal(one.value('keyd_prefetch_lag_access_keys'), 0);
    }
    t.ok(((await value('region', 'keyd_autonomy_seconds')) ?? 0) > 24 * 3600, 'until the end of tomorrow');
  });

  await t.test('what is down is told', async (t) => {
    await stack.postgres.stop();
    await until(async () => {
      await stack.leap(5_000);
      return (await value('master', 'keyd_database_up')) === 0;
    });
    t.equal(await value('master', 'keyd_ready'), 0);
    await stack.down('region');
    await until(async () => {
      await stack.leap(5_000);
      return (await value('edge', 'keyd_parent_reachable')) === 0;
    });
    await stack.leap(70_000);
    const edge = await of('edge');
    t.equal(edge.value('keyd_parent_healthy'), 0);
    t.equal(edge.value('keyd_feed_stale', { horizon: 'soft' }), 1);
    t.equal(edge.value('keyd_feed_stale', { horizon: 'hard' }), 0);
    t.ok((edge.value('keyd_feed_age_seconds') ?? 0) >= 70);
    t.equal(edge.value('keyd_feed_source_reachable'), 0);
    t.equal(edge.value('keyd_ready'), 1, 'it goes on with what it holds');
  });
});

t.test('a service process tells of itself, on the address that was asked for and on no other', async (t) => {
  const authority = await TestAuthority.create(t.testdir());
  const clock = new VirtualClock(Date.now());
  const feed = await TestFeed.create(clock);
  const stateFolder = newStateFolder(t);
  await feed.seed(stateFolder);
  const [metrics, health] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const env = {
    ...environmentOf(newStateFolder(t)),
    ...tierSettings(
      await authority.filesOf({ role: 'edge', region: REGION, service: 's3', name: 'e1' }),
      feed.jwks,
      stateFolder,
    ),
    KEYD_METRICS_LISTEN: metrics,
    KEYD_HEALTH_LISTEN: health,
  };
  const main = fileURLToPath(new URL('main.js', import.meta.resolve('@sigv4-keyd/edge-verifier')));
  const child = spawn(process.execPath, [main], { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  const answers = (): Promise<boolean> =>
    scrape(metrics).then(
      () => true,
      () => false,
    );
  await until(answers);
  const { types, value } = await scrape(metrics).then((one) => ({ types: one.types, value: one.value.bind(one) }));
  for (const name of [
    'nodejs_eventloop_lag_p99_seconds',
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
  ]) {
    t.ok((value(name) ?? -1) >= 0, name);
  }
  t.equal(types.get('keyd_ready'), 'gauge');
  t.equal((await fetch(`http://${health}/metrics`)).status, 404, 'the health listener does not tell it');
  t.equal((await fetch(`http://${metrics}/status`)).status, 404, 'nor the other way round');
});

t.test('a deputy is watched like the tiers', async (t) => {
  const master = await wiredMaster(t, { env: { ...ON.env, KEYD_METRICS_LISTEN: '127.0.0.1:0' } });
  await grant(master, TODAY, '20261124');
  const deputy = await wiredDeputy(t, master, { env: { KEYD_METRICS_LISTEN: '127.0.0.1:0' } });
  await deputy.until((status) => keysOf(status, '20261124') === 1);
  const asking = await deputy.region('us-east-1');
  await asking.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
  const one = await scrape(deputy.service.addresses['metrics'] ?? '');
  const own = Object.entries(METRICS).filter(([, { services }]) => services.includes('deputy-keyd'));
  t.strictSame(one.types, new Map(own.map(([metric, { type }]) => [metric, type])));
  t.equal(one.value('keyd_ready'), 1);
  t.equal(one.value('keyd_keys_held', { kind: 'ladder', day: 'today' }), 1);
  t.equal(one.value('keyd_budget_keys_total', { role: 'region' }), 1);
  t.equal(one.value('keyd_hop_request_seconds_count', { route: '/v1/region-keys' }), 1);
  t.equal(one.value('keyd_deputy_days_granted'), 3);
  const end = startOfScopeDate(day('20261125'));
  t.equal(one.value('keyd_deputy_grant_seconds'), (end - master.clock.now()) / 1000, 'today and the two days after it');
  await until(async () => {
    await master.clock.advance(60_000);
    return (await valueAt(master.service, 'keyd_deputy_grants')) === 1;
  });
});

t.test('a deputy has as long as granted days follow one another', (t) => {
  const readingsOf = (now: string, ...granted: readonly string[]): readonly number[] => {
    const days = granted.map(day);
    const grants = { days, covers: (date: ScopeDate) => days.includes(date) };
    return Object.values(grantReadings(grants, { now: () => Date.parse(now) }));
  };
  const HOUR = 3600;
  t.same(readingsOf('2026-11-22T18:00:00Z'), [0, 0]);
  t.same(readingsOf('2026-11-22T18:00:00Z', '20261121'), [0, 0], 'yesterday is over');
  t.same(readingsOf('2026-11-22T18:00:00Z', '20261122'), [1, 6 * HOUR]);
  t.same(
    readingsOf('2026-11-22T18:00:00Z', '20261121', '20261122', '20261123', '20261125'),
    [3, 30 * HOUR],
    'to a gap',
  );
  t.same(readingsOf('2026-11-22T18:00:00Z', '20261123'), [1, 0], 'not yet begun');
  t.end();
});

t.test('the signer of the custody is watched like the tiers', async (t) => {
  const { service, clientOf } = await startSigner(t, { authority: await TestAuthority.create(t.testdir()) });
  const operator = await clientOf({ role: 'operator', name: 'alice' });
  await t.rejects(operator.call({ method: 'GET', path: '/v1/madeup', answer: z.undefined() }));
  const one = await scrape(service.addresses['metrics'] ?? '');
  const own = Object.entries(METRICS).filter(([, { services }]) => services.includes('custody-signer'));
  t.strictSame(one.types, new Map(own.map(([metric, { type }]) => [metric, type])));
  t.equal(one.value('keyd_ready'), 1);
  t.equal(one.value('keyd_hop_errors_total', { route: 'none', code: 'not-found' }), 1, 'what is no route is no label');
});

t.test('a metric that nobody defined is a mistake, and a reading is what it is now', async (t) => {
  const metrics = new Metrics('edge-verifier');
  const labels = { kind: 'ladder', day: 'today' };
  t.match(await metrics.text({ keyd_keys_held: [{ labels, value: 3 }] }), '{kind="ladder",day="today"} 3\n');
  t.notMatch(await metrics.text({ keyd_keys_held: [] }), 'day="today"', 'what is no more is not told');
  t.throws(() => metrics.text({ keyd_made_up: 1 }), /keyd_made_up is no metric/);
  t.throws(() => metrics.text({ keyd_database_up: 1 }), /no metric that this service reads/, 'nor one of another tier');
});

t.test('custody is down when it does not serve, and up with the next key', async (t) => {
  const inner = fileCustody(createSecretKey(randomBytes(32)));
  const name = { accessKeyId: 'AKIAWATCHED', version: 1 };
  const sealed = { ...name, sealed: await inner.seal(name, 'a-secret-of-this-test') };
  let fails: unknown;
  const custody = watchCustody({
    seal: (...args) => inner.seal(...args),
    ecdsaPublicKey: (secret) => inner.ecdsaPublicKey(secret),
    kDate: (secret, date) => (fails === undefined ? inner.kDate(secret, date) : Promise.reject(fails)),
  });
  const ask = async () => custody.kDate(sealed, scopeDateOf(Date.now()));
  await ask();
  t.equal(custody.isUp, true);
  fails = new SealBroken('one secret that does not open');
  await t.rejects(ask(), SealBroken);
  t.equal(custody.isUp, true, 'one secret says nothing of the others');
  fails = new KeydError('custody-unavailable');
  await t.rejects(ask(), { code: 'custody-unavailable' });
  t.equal(custody.isUp, false);
  fails = undefined;
  await ask();
  t.equal(custody.isUp, true);
});
