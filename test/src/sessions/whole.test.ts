import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { CreatedAccessKey, CreatedSession, IncidentReport } from '@sigv4-keyd/hop-protocol';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { HOST, presigned, signed, type Draft } from '../edge-verifier/client.js';
import { findAwsCli } from '../clients/aws-cli.js';
import { startStoryTiers, type EdgeOfStory, type StoryTiers } from '../story/story-tiers.js';
import { freePort } from '../support/free-port.js';
import { LeapingClock } from '../support/leaping-clock.js';

t.setTimeout(170_000);

const EAST = { region: 'us-east-1', service: 's3' };
const WEST = { region: 'eu-west-1', service: 's3' };

const created = async ({ keydctl }: StoryTiers): Promise<CreatedAccessKey> =>
  (await keydctl('access-key', 'create', '--owner', 'ann')) as unknown as CreatedAccessKey;

const session = async ({ keydctl }: StoryTiers, parent: string, ...more: readonly string[]): Promise<CreatedSession> =>
  (await keydctl('session', 'create', '--for', parent, '--duration', '1h', ...more)) as unknown as CreatedSession;

t.test('an operator makes a session, and all that happens to it is in force at every edge', async (t) => {
  const clock = new LeapingClock(Date.now());
  const tiers = await startStoryTiers(t, clock, [EAST, WEST]);
  const { edges, keydctl, leapTo } = tiers;
  await leapTo(clock.now() + 1_000);
  const parent = await created(tiers);
  const first = await session(tiers, parent.accessKeyId, '--name', 'alice');
  const narrow = await session(tiers, parent.accessKeyId, '--regions', 'us-east-1', '--services', 's3');
  const draftOf =
    ({ accessKeyId, secretAccessKey: secret, sessionToken }: CreatedSession) =>
    ({ region, service }: EdgeOfStory): Draft => ({
      accessKeyId,
      secret,
      sessionToken,
      region,
      service,
      now: clock.now(),
    });
  const verdicts = async (of: CreatedSession): Promise<readonly string[]> =>
    Promise.all(
      edges.map(async (edge) => {
        const draft = draftOf(of)(edge);
        const both = [await edge.verdictOn(signed(draft)), await edge.verdictOn(presigned(draft))];
        return [...new Set(both)].join(' and ');
      }),
    );
  const inForce = async (of: CreatedSession, expected: readonly string[], what: string): Promise<void> => {
    let found: readonly string[] = [];
    for (let tries = 0; tries < 200 && found.join() !== expected.join(); tries += 1) {
      if (tries > 0) await pause(20);
      found = await verdicts(of);
    }
    t.same(found, expected, what);
  };
  t.same(await verdicts(first), ['served', 'served']);
  t.same(await verdicts(narrow), ['served', 'access-key-not-for-scope']);
  t.same(tiers.upstream.lastHeader('x-keyd-parent-access-key-id'), [parent.accessKeyId]);

  await keydctl('access-key', 'disable', parent.accessKeyId);
  await inForce(first, ['access-key-disabled', 'access-key-disabled'], 'the access key was disabled');
  await keydctl('access-key', 'enable', parent.accessKeyId);
  await inForce(first, ['served', 'served'], 'and enabled');
  await keydctl('access-key', 'delete', narrow.accessKeyId, '--yes');
  await inForce(narrow, ['access-key-unknown', 'access-key-not-for-scope'], 'a session was ended before its time');
  t.same(await verdicts(first), ['served', 'served'], 'and no other');

  const today = scopeDateOf(clock.now());
  const scope = ['--access-key', parent.accessKeyId, '--from', today];
  const why = ['--incident', 'INC-7', '--reason', 'a laptop was lost', '--yes'];
  await leapTo(clock.now() + 2_000);
  await keydctl('revoke', ...scope, '--issued-before', new Date(clock.now()).toISOString(), ...why);
  await inForce(first, ['scope-revoked', 'scope-revoked'], 'the access key was revoked');
  await leapTo(clock.now() + 2_000);
  const second = await session(tiers, parent.accessKeyId);
  t.same(await verdicts(second), ['served', 'served'], 'a session that was made since is spared');

  const reported = async (): Promise<IncidentReport['accepted']['byAccessKey']> => {
    await leapTo(clock.now() + 15_000);
    const report = (await keydctl('incident', 'report', ...scope)) as unknown as IncidentReport;
    return report.accepted.byAccessKey;
  };
  let byId = new Map<string, Awaited<ReturnType<typeof reported>>[number]>();
  for (let tries = 0; tries < 40 && byId.size < 3; tries += 1) {
    byId = new Map((await reported()).map((key) => [key.accessKeyId, key]));
  }
  const { accessKeyId: parentAccessKeyId } = parent;
  t.match(byId.get(first.accessKeyId), { parentAccessKeyId, sessionName: 'alice', owner: 'ann', revoked: true });
  t.match(byId.get(second.accessKeyId), { parentAccessKeyId, owner: 'ann', revoked: false });

  await leapTo(clock.now() + 3_600_000);
  t.same(await verdicts(second), ['session-token-expired', 'session-token-expired']);
});

const aws = findAwsCli(2) ?? findAwsCli(1);

t.test('clients as they come sign with what keydctl prints', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-sessions-'));
  const port = await freePort();
  const clock = new LeapingClock(Date.now());
  const edge = { KEYD_PROXY_LISTEN: `127.0.0.1:${port}`, KEYD_EXTERNAL_HOSTS: `${HOST},127.0.0.1:${port}` };
  const tiers = await startStoryTiers(t, clock, [EAST], { edge });
  t.teardown(() => rmSync(folder, { recursive: true }));
  await tiers.leapTo(clock.now() + 1_000);
  const { accessKeyId: parent } = await created(tiers);
  const sessionAs = (form: string): Promise<string> =>
    tiers.printed('session', 'create', '--for', parent, '--duration', '1h', '--name', 'alice', form);
  tiers.upstream.answer = (request, response) => {
    response.setHeader('etag', '"0"');
    response.end(request.method === 'GET' ? 'the content' : undefined);
  };
  const servedBy = (): readonly unknown[] => [
    tiers.upstream.last.method,
    tiers.upstream.lastHeader('x-keyd-session-name'),
    tiers.upstream.lastHeader('x-keyd-parent-access-key-id'),
    tiers.upstream.lastHeader('x-keyd-mechanism'),
  ];
  const endpoint = `http://127.0.0.1:${port}`;
  const served = (method: string, mechanism: string) => [method, ['alice'], [parent], [mechanism]];

  const exported = execFileSync('sh', ['-c', `${await sessionAs('--env')}\nenv`], { env: {}, encoding: 'utf8' });
  const environment: Readonly<Record<string, string>> = Object.fromEntries(
    exported.split('\n').map((line): [string, string] => {
      const [name = '', ...value] = line.split('=');
      return [name, value.join('=')];
    }),
  );
  t.match(environment, { AWS_ACCESS_KEY_ID: /^ASIA/, AWS_SECRET_ACCESS_KEY: /^.{40}$/, AWS_SESSION_TOKEN: /^ey/ });

  const client = new S3Client({
    endpoint,
    region: EAST.region,
    forcePathStyle: true,
    credentials: {
      accessKeyId: String(environment['AWS_ACCESS_KEY_ID']),
      secretAccessKey: String(environment['AWS_SECRET_ACCESS_KEY']),
      sessionToken: String(environment['AWS_SESSION_TOKEN']),
    },
  });
  t.teardown(() => client.destroy());
  const object = { Bucket: 'bucket', Key: 'a key' };
  await client.send(new PutObjectCommand({ ...object, Body: 'the content' }));
  t.same(servedBy(), served('PUT', 'header'), 'JavaScript SDK');
  const url = await getSignedUrl(client, new GetObjectCommand(object));
  t.equal(await (await fetch(url)).text(), 'the content');
  t.same(servedBy(), served('GET', 'presigned'), 'JavaScript SDK, presigned');

  if (aws === undefined) {
    t.comment('THE AWS CLI IS NOT INSTALLED HERE: it was not tested');
    return;
  }
  const run = async (args: readonly string[], more: Readonly<Record<string, string>>): Promise<string> => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, AWS_DEFAULT_REGION: EAST.region, ...more };
    const all = ['--endpoint-url', endpoint, ...args];
    return (await promisify(execFile)(aws, all, { env: { ...env, AWS_EC2_METADATA_DISABLED: 'true' } })).stdout;
  };
  const get = ['s3api', 'get-object', '--bucket', 'bucket', '--key', 'key', join(folder, 'got')];
  await run(get, environment);
  t.same(servedBy(), served('GET', 'header'), 'AWS CLI, from the environment');
  const link = (await run(['s3', 'presign', 's3://bucket/key'], environment)).trim();
  t.equal(await (await fetch(link)).text(), 'the content');
  t.same(servedBy(), served('GET', 'presigned'), 'AWS CLI, presigned');

  writeFileSync(join(folder, 'credentials'), await sessionAs('--profile'));
  await run(get, { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'), AWS_PROFILE: 'alice' });
  t.same(servedBy(), served('GET', 'header'), 'AWS CLI, from a profile');
  writeFileSync(join(folder, 'printed.json'), await sessionAs('--process'));
  const config = `[default]\ncredential_process = cat ${join(folder, 'printed.json')}\n`;
  writeFileSync(join(folder, 'config'), config);
  await run(get, { AWS_CONFIG_FILE: join(folder, 'config') });
  t.same(servedBy(), served('GET', 'header'), 'AWS CLI, from a process');
});
