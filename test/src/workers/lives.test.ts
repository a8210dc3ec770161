import { scopeDateOf, addDays } from '@sigv4-keyd/sigv4-core';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import t from 'tap';
import { ACCESS_KEY_ID, signed, type Reply } from '../edge-verifier/client.js';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { until } from '../support/victim.js';
import { startAbove, startEdge, type EdgeOfWorkers } from './edge-of-workers.js';
import { REGION, SERVICE } from './watched-region.js';

// Whole edges as processes.
t.setTimeout(170_000);

const get = (): ReturnType<typeof signed> => signed({ now: Date.now() });
const told = ({ status, headers }: Reply): string => `${status} ${String(headers['x-keyd-reason'] ?? '')}`.trim();

/** What each of two workers answers: connections are given to them by turns. */
async function answers(edge: EdgeOfWorkers): Promise<readonly string[]> {
  return [told(await edge.send(get())), told(await edge.send(get()))];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

t.test('what the feed says is in force in every worker before the edge says so', async (t) => {
  const { feed, region, ...above } = await startAbove(t);
  const edge = await startEdge(t, { feed, region, ...above }, { workers: 2 });
  t.same(await answers(edge), ['200', '200']);
  const [silent = 0, other = 0] = await edge.pids();
  const before = feed.newest?.version ?? 0;
  process.kill(silent, 'SIGSTOP');
  const tooEarly: string[] = [];
  region.onReport = (report) => {
    if ((report.feed?.version ?? 0) > before && isAlive(silent)) tooEarly.push(`version ${report.feed?.version}`);
  };
  const today = scopeDateOf(Date.now());
  await feed.revoke({ accessKeyId: ACCESS_KEY_ID, from: today, to: addDays(today, 1) });
  const revoked = feed.newest?.version ?? 0;
  t.ok(revoked > before);
  await until(async () => {
    const { workers } = await edge.status();
    return workers.some(({ pid, feedVersion }) => pid === other && feedVersion === revoked);
  });
  const reports = region.reports.length;
  await until(() => region.reports.length > reports);
  // After ten seconds the edge would end it by itself.
  process.kill(silent, 'SIGKILL');
  await until(() => region.saidInForce === revoked);
  t.same(tooEarly, [], 'while one worker has not confirmed it, the region hears of the older one');
  await until(async () => (await edge.pids()).length === 2);
  t.equal((await edge.status()).feed.version, revoked);
  t.same(await answers(edge), ['403 scope-revoked', '403 scope-revoked'], 'the one that took its place, too');
  t.match(edge.log(), '"event":"worker-ended"');
});

t.test('changes of access keys, new secrets and bans reach every worker', async (t) => {
  const { feed, region, ...above } = await startAbove(t);
  const edge = await startEdge(t, { feed, region, ...above }, { workers: 2 });
  t.same(await answers(edge), ['200', '200']);
  const inForce = (): Promise<void> => until(() => region.saidInForce === feed.newest?.version);

  await feed.change({ accessKeyId: ACCESS_KEY_ID, status: 'disabled', secretVersion: 1 });
  await inForce();
  t.same(await answers(edge), ['403 access-key-disabled', '403 access-key-disabled']);
  const secret = 'the-next-secret-of-this-access-key';
  region.parent.secrets.set(ACCESS_KEY_ID, secret);
  region.parent.facts.set(ACCESS_KEY_ID, { version: 2 });
  await feed.change({ accessKeyId: ACCESS_KEY_ID, status: 'enabled', secretVersion: 2 });
  await inForce();
  const anew = async (): Promise<string> => told(await edge.send(signed({ now: Date.now(), secret })));
  await until(async () => (await anew()) === '200' && (await anew()) === '200');
  t.same(await answers(edge), ['403 signature-mismatch', '403 signature-mismatch'], 'the old one signs for nobody');

  await feed.ban(`spiffe://${TRUST_DOMAIN}/edge/${REGION}/${SERVICE}/e1`);
  await inForce();
  await until(async () => (await edge.status()).workers.every(({ keysHeld }) => keysHeld === 0));
  t.notMatch([await anew(), await anew()], ['200']);
});

t.test('each worker may die without the others; counts arrive once, and all end with the edge', async (t) => {
  const above = await startAbove(t);
  const edge = await startEdge(t, above, { workers: 2 });
  const accepted = (): Promise<number> =>
    edge.metric('keyd_requests_accepted_total{mechanism="header",algorithm="AWS4-HMAC-SHA256"}');
  for (let sent = 0; sent < 20; sent += 1) t.equal((await edge.send(get())).status, 200);
  t.equal(await accepted(), 20, 'a scrape has what both counted');

  const [victim = 0, survivor = 0] = await edge.pids();
  process.kill(victim, 'SIGKILL');
  await until(async () => !(await edge.pids()).includes(victim));
  for (let sent = 0; sent < 20; sent += 1) t.equal((await edge.send(get())).status, 200);
  await until(async () => (await edge.pids()).length === 2);
  t.ok((await edge.pids()).includes(survivor));
  t.same((await edge.status()).warnings, []);
  t.equal(await accepted(), 40, 'what a dead one had handed in is not lost');

  // The last ones are handed in while the edge stops; the next process of it brings them up.
  for (let sent = 0; sent < 10; sent += 1) t.equal((await edge.send(get())).status, 200);
  const pids = await edge.pids();
  await edge.victim.stop();
  t.notOk(pids.some(isAlive), 'no worker outlives the edge');
  edge.victim.start();
  await until(() => above.region.accepted(ACCESS_KEY_ID) >= 50);
  await until(async () => (await edge.pids().catch(() => [])).length === 2);
  t.equal(above.region.accepted(ACCESS_KEY_ID), 50, 'each once');

  const left = await edge.pids();
  await edge.victim.kill();
  await until(() => !left.some(isAlive));
});

t.test('on SIGTERM every worker serves what it has begun, and takes no more', async (t) => {
  const above = await startAbove(t);
  const edge = await startEdge(t, above, { workers: 2 });
  let answer = (): void => undefined;
  const arrived: Promise<unknown>[] = [];
  const held = new Promise<void>((resolve) => (answer = resolve));
  const both = new Promise<void>((resolve) => {
    above.upstream.answer = (_request, response) => {
      // Until the port is closed, others may come; they are no part of it.
      if (arrived.length === 2) {
        response.end('at once');
        return;
      }
      arrived.push(held.then(() => response.end('late')));
      if (arrived.length === 2) resolve();
    };
  });
  const replies = [edge.send(get()), edge.send(get())];
  await both;
  const child = edge.victim.child;
  child?.kill('SIGTERM');
  for (const pid of await edge.pids().catch(() => [])) process.kill(pid, 'SIGTERM');
  await until(() => edge.log().includes('"stopping"'));
  // None is waited for: one that comes at the very moment may hang until the process ends.
  let isRefused = false;
  await until(() => {
    void edge.send(get()).catch(() => (isRefused = true));
    return isRefused;
  });
  answer();
  t.same(
    (await Promise.all(replies)).map(({ status, body }) => `${status} ${body}`),
    ['200 late', '200 late'],
  );
  if (child?.exitCode === null) await once(child, 'exit');
  t.equal(child?.exitCode, 0);
});

t.test('SIGHUP has every worker read the public certificate again', async (t) => {
  const above = await startAbove(t);
  const publicFiles = () => above.authority.files(`spiffe://${TRUST_DOMAIN}/public`);
  const files = await publicFiles();
  const port = await freePort();
  const env = {
    KEYD_PROXY_TLS_LISTEN: `127.0.0.1:${port}`,
    KEYD_PROXY_TLS_CERT: files.cert,
    KEYD_PROXY_TLS_KEY: files.key,
  };
  const edge = await startEdge(t, above, { workers: 2, env });
  const workers = await edge.pids();
  const reloads = (): number => edge.log().split('public certificate reloaded').length - 1;
  const shown = async (): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const startedAt = Date.now();
  // Workers look at their files every ten seconds, too: only signals can bring them more renewals than that.
  for (let renewals = 0; renewals <= (Date.now() - startedAt) / 10_000 + 2; renewals += 1) {
    const before = reloads();
    const renewed = await publicFiles();
    for (const kind of ['cert', 'key'] as const) copyFileSync(renewed[kind], files[kind]);
    edge.victim.child?.kill('SIGHUP');
    await until(() => reloads() === before + workers.length);
    const { fingerprint256 } = new X509Certificate(readFileSync(renewed.cert));
    t.same([await shown(), await shown()], [fingerprint256, fingerprint256], 'each worker shows the new one');
  }
  t.same(await edge.pids(), workers, 'and lives on');
});
