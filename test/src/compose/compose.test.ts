import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { z } from 'zod';
import { stackMissing } from './compose-program.js';
import { ask, ComposeStack, outcome, PORTS, until } from './compose-stack.js';
import { VARIANTS } from './stack-files.js';

/**
 * The Compose stack with two regions, really built and brought up: requests are verified while certificates change and
 * while each tier is killed in its turn; and a region is revoked. Without a Docker engine this is skipped, loudly.
 */

const US_S3 = { port: PORTS.PORT_US_EAST_1_S3, region: 'us-east-1', service: 's3' };
const EU_S3 = { port: PORTS.PORT_EU_WEST_1_S3, region: 'eu-west-1', service: 's3' };
const EDGES = [
  US_S3,
  { port: PORTS.PORT_US_EAST_1_EXECUTE_API, region: 'us-east-1', service: 'execute-api' },
  EU_S3,
  { port: PORTS.PORT_EU_WEST_1_EXECUTE_API, region: 'eu-west-1', service: 'execute-api' },
];
const TIERS = [
  'master-keyd',
  'region-keyd-us-east-1',
  'region-keyd-eu-west-1',
  'edge-us-east-1-s3',
  'edge-us-east-1-execute-api',
  'edge-eu-west-1-s3',
  'edge-eu-west-1-execute-api',
];

/** Run in an edge's container: whether it can connect to each HOST:PORT of its arguments. */
const REACH = `
const { connect } = require('node:net');
for (const target of process.argv.slice(1)) {
  const [host, port] = target.split(':');
  const socket = connect({ host, port, timeout: 3000 });
  const say = (word) => { console.log(target + ' ' + word); socket.destroy(); };
  socket.once('connect', () => say('reached'));
  socket.once('error', () => say('not reached'));
  socket.once('timeout', () => say('not reached'));
}`;

/** Run in a container of a tier: when the certificate ends that it shows. */
const EXPIRY = `fetch('http://127.0.0.1:8081/status').then(async (answer) => console.log((await answer.json()).certificateExpiresAt))`;

// Building the images takes minutes.
t.setTimeout(1_800_000);
t.test('the Compose stack', { skip: stackMissing(), timeout: 1_700_000 }, async (t) => {
  const stack = await ComposeStack.up(t, VARIANTS['two regions']);
  const accessKey = await stack.newAccessKey();

  await t.test('containers may do no more than the files say', (t) => {
    for (const { Name, Config, HostConfig } of stack.containers()) {
      t.match(
        HostConfig,
        {
          ReadonlyRootfs: true,
          Privileged: false,
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges:true'],
          NanoCpus: 1e9,
          PidsLimit: Number,
          LogConfig: { Type: 'json-file', Config: { 'max-size': '10m' } },
        },
        Name,
      );
      t.ok(HostConfig.Memory > 0, `${Name} has a bound for memory`);
      t.match(Config.User, /^(?:1000:1000|postgres)$/, `${Name} is not root`);
    }
    t.end();
  });

  await t.test('signed requests are verified, for each region and service at its own edge', async (t) => {
    for (const edge of EDGES) {
      const answer = await ask(edge, accessKey);
      t.match(await answer.json(), { headers: { 'x-keyd-access-key-id': accessKey.accessKeyId } }, String(edge.port));
    }
  });

  await t.test('a request signed for another region or service is refused', async (t) => {
    t.equal(await outcome({ ...EU_S3, region: 'us-east-1' }, accessKey), 'wrong-region');
    t.equal(await outcome({ ...US_S3, service: 'execute-api' }, accessKey), 'wrong-service');
  });

  await t.test('an edge reaches its region, and neither the master, the database, nor another region', async (t) => {
    const addressesOf = (service: string, port: number): readonly string[] =>
      Object.values(stack.container(service).NetworkSettings.Networks).map(({ IPAddress }) => `${IPAddress}:${port}`);
    const targets = [
      'region-keyd-us-east-1:8443',
      'master-keyd:8443',
      'postgres:5432',
      'region-keyd-eu-west-1:8443',
      ...addressesOf('master-keyd', 8443),
      ...addressesOf('postgres', 5432),
    ];
    const said = await stack.exec('edge-us-east-1-s3', ['node', '-e', REACH, ...targets]);
    const reached = new Map(
      said
        .trim()
        .split('\n')
        .map((line): [string, string] => {
          const space = line.indexOf(' ');
          return [line.slice(0, space), line.slice(space + 1).trim()];
        }),
    );
    for (const target of targets) {
      const expected = target === 'region-keyd-us-east-1:8443' ? 'reached' : 'not reached';
      t.equal(reached.get(target), expected, target);
    }
  });

  await t.test('all certificates are renewed while requests run, and none of them fails', async (t) => {
    const expiries = async (): Promise<readonly string[]> => {
      const all: string[] = [];
      for (const tier of TIERS) all.push((await stack.exec(tier, ['node', '-e', EXPIRY])).trim());
      return all;
    };
    const before = await expiries();
    const outcomes = await during(
      () => outcome(US_S3, accessKey),
      async () => {
        await stack.run('make-credentials', [], { RENEW: 'all' });
        await until('renewed', async () =>
          (await expiries()).every((expiry, index) => expiry !== before[index]) ? 'renewed' : 'as before',
        );
        // Not held yet: it is asked for over the hops, as the new certificates allow.
        t.equal(await outcome(US_S3, await stack.newAccessKey()), 'served');
      },
    );
    t.strictSame([...new Set(outcomes)], ['served'], `${outcomes.length} requests`);
  });

  for (const victim of ['postgres', 'master-keyd', 'region-keyd-us-east-1']) {
    await t.test(`${victim} is killed: what is held is verified all along, and it comes back by itself`, async (t) => {
      const outcomes = await during(
        () => outcome(US_S3, accessKey),
        () => killedAndBack(stack, victim),
      );
      t.strictSame([...new Set(outcomes)], ['served'], `${outcomes.length} requests`);
      const fresh = await stack.newAccessKey();
      t.strictSame(await until('served', () => outcome(US_S3, fresh)), [], 'an access key that nobody held is served');
    });
  }

  await t.test('an edge is killed: others go on, and it comes back by itself, with its keys', async (t) => {
    const elsewhere: string[] = [];
    const outcomes = await during(
      async () => {
        elsewhere.push(await outcome(EU_S3, accessKey));
        return outcome(US_S3, accessKey);
      },
      () => killedAndBack(stack, 'edge-us-east-1-s3'),
    );
    t.strictSame([...new Set(elsewhere)], ['served'], 'the other region does not notice');
    t.strictSame(
      [...new Set(outcomes)].filter((one) => one !== 'unreachable'),
      ['served'],
      'nothing good is refused',
    );
    t.equal(outcomes.at(-1), 'served');
  });

  await t.test('a revoked region is refused there, and there alone', async (t) => {
    const today = new Date().toISOString().slice(0, 10);
    const days = ['--from', today, '--to', today, '--incident', 'COMPOSE', '--reason', 'a test'];
    const scope = ['--region', 'us-east-1', ...days];
    t.match(await stack.keydctl('revoke', ...scope, '--dry-run'), 'not published');
    t.equal(await outcome(US_S3, accessKey), 'served', 'a dry run revokes nothing');
    t.match(await stack.keydctl('revoke', ...scope, '--yes'), 'published');
    const before = await until('scope-revoked', () => outcome(US_S3, accessKey));
    t.strictSame(
      before.filter((one) => one !== 'served'),
      [],
    );
    t.equal(await outcome(EU_S3, accessKey), 'served', 'Europe stays good');
    const report = await stack.keydctl('incident', 'report', '--region', 'us-east-1', '--from', today);
    t.match(report, 'COMPOSE', 'the report names the revocation');
  });

  await t.test('the operator sees every tier', async (t) => {
    const status = await stack.keydctl('status', '--json');
    for (const part of ['/master/master-1', '/region/us-east-1/region-1', '/edge/eu-west-1/s3/edge-1']) {
      t.match(status, part);
    }
    t.doesNotThrow(() => z.unknown().parse(JSON.parse(status)));
  });
});

/** What came of requests, ten a second at most, while something else was done. */
async function during(request: () => Promise<string>, work: () => Promise<void>): Promise<readonly string[]> {
  const outcomes: string[] = [];
  const ending = new AbortController();
  const done = work().finally(() => ending.abort());
  do {
    outcomes.push(await request());
    await setTimeout(100);
  } while (!ending.signal.aborted);
  await done;
  // Once more, when all is well again.
  return [...outcomes, await request()];
}

/** Kills a service and does nothing about it until it is well again. */
async function killedAndBack(stack: ComposeStack, service: string): Promise<void> {
  const before = stack.container(service).State.StartedAt;
  stack.kill(service);
  await until('started', () => {
    const { Status, StartedAt } = stack.container(service).State;
    return setTimeout(200, Status === 'running' && StartedAt !== before ? 'started' : 'down');
  });
  await stack.allHealthy();
}
