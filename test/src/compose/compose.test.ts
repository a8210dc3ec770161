import { EMPTY_BODY_SHA256, signRequest } from '@sigv4-keyd/sigv4-core';
import * as compose from 'docker-compose';
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { z } from 'zod';

/**
 * The Compose stack, really built and brought up: a signed request verified, one of another region refused, and an
 * edge that cannot even reach the master. Without a Docker engine this is skipped, loudly.
 */
function engineMissing(): string | false {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
  } catch {
    return 'NO DOCKER ENGINE IS RUNNING HERE: the Compose stack was not tested';
  }
  return composeExecutable() === undefined
    ? 'DOCKER COMPOSE IS NOT INSTALLED: the Compose stack was not tested'
    : false;
}

/** Compose is a plugin of docker (v2) or a program of its own (v1): how to run what there is. */
function composeExecutable(): compose.IDockerComposeOptions['executable'] | undefined {
  const answers = (program: string, args: readonly string[]): boolean => {
    try {
      execFileSync(program, args, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  if (answers('docker', ['compose', 'version'])) return { executablePath: 'docker' };
  return answers('docker-compose', ['version']) ? { executablePath: 'docker-compose', standalone: true } : undefined;
}

const PORTS = { PORT_US_EAST_1_S3: 27_481, PORT_US_EAST_1_EXECUTE_API: 27_482, PORT_EU_WEST_1_S3: 27_491 };
const EU_API_PORT = 27_492;
const createdAccessKey = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

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

// Building the images takes minutes.
t.setTimeout(1_800_000);
t.test('the Compose stack', { skip: engineMissing(), timeout: 1_500_000 }, async (t) => {
  const project = `keyd-test-${process.pid}`;
  const executable = composeExecutable();
  const ports = Object.values(PORTS).concat(EU_API_PORT);
  const options: compose.IDockerComposeOptions = {
    cwd: process.cwd(),
    ...(executable && { executable }),
    composeOptions: [['--project-name', project]],
    env: {
      ...process.env,
      ...Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [name, String(port)])),
      PORT_EU_WEST_1_EXECUTE_API: String(EU_API_PORT),
      EXTERNAL_HOSTS: ports.map((port) => `127.0.0.1:${port}`).join(','),
    },
  };
  t.teardown(() => compose.downAll({ ...options, commandOptions: ['--volumes', '--remove-orphans'] }));
  await compose.buildAll(options);
  await compose.upAll(options);
  await allHealthy(project);

  const keydctl = async (...command: string[]): Promise<string> => {
    const { out } = await compose.run('keydctl', command, { ...options, commandOptions: ['--rm'] });
    return out;
  };
  const accessKey = createdAccessKey.parse(
    JSON.parse(await keydctl('access-key', 'create', '--owner', 'compose-test', '--json')),
  );
  const ask = async (port: number, region: string, service: string): Promise<Response> => {
    const request = { method: 'GET', target: '/bucket/key', headers: [['Host', `127.0.0.1:${port}`]] } as const;
    const now = Date.now();
    const signed = signRequest(request, accessKey, {
      now,
      region,
      service,
      payload: { kind: 'exact', sha256: EMPTY_BODY_SHA256 },
    });
    return fetch(`http://127.0.0.1:${port}/bucket/key`, { headers: signed.headers.map(([n, v]) => [n, v]) });
  };

  await t.test('signed requests are verified, for each region and service at its own edge', async (t) => {
    const scopes = [
      [PORTS.PORT_US_EAST_1_S3, 'us-east-1', 's3'],
      [PORTS.PORT_US_EAST_1_EXECUTE_API, 'us-east-1', 'execute-api'],
      [PORTS.PORT_EU_WEST_1_S3, 'eu-west-1', 's3'],
      [EU_API_PORT, 'eu-west-1', 'execute-api'],
    ] as const;
    for (const [port, region, service] of scopes) {
      const answer = await ask(port, region, service);
      t.match(
        await answer.json(),
        { headers: { 'x-keyd-access-key-id': accessKey.accessKeyId } },
        `${service} ${region}`,
      );
    }
  });

  await t.test('a request signed for another region or service is refused', async (t) => {
    const elsewhere = await ask(PORTS.PORT_EU_WEST_1_S3, 'us-east-1', 's3');
    t.equal(elsewhere.headers.get('x-keyd-reason'), 'wrong-region');
    const other = await ask(PORTS.PORT_US_EAST_1_S3, 'us-east-1', 'execute-api');
    t.equal(other.headers.get('x-keyd-reason'), 'wrong-service');
  });

  await t.test('an edge reaches its region, and neither the master, the database, nor another region', async (t) => {
    const targets = [
      'region-keyd-us-east-1:8443',
      'master-keyd:8443',
      'postgres:5432',
      'region-keyd-eu-west-1:8443',
      ...addressesOf(project, 'master-keyd', 8443),
      ...addressesOf(project, 'postgres', 5432),
    ];
    const { out } = await compose.exec('edge-us-east-1-s3', ['node', '-e', REACH, ...targets], options);
    const reached = new Map(
      out
        .trim()
        .split('\n')
        .map((line): [string, string] => {
          const space = line.indexOf(' ');
          return [line.slice(0, space), line.slice(space + 1)];
        }),
    );
    for (const target of targets) {
      const expected = target === 'region-keyd-us-east-1:8443' ? 'reached' : 'not reached';
      t.equal(reached.get(target), expected, target);
    }
  });

  await t.test('a revoked region is refused there, and there alone', async (t) => {
    const today = new Date().toISOString().slice(0, 10);
    const scope = [
      '--region',
      'us-east-1',
      '--from',
      today,
      '--to',
      today,
      '--incident',
      'COMPOSE',
      '--reason',
      'a test',
    ];
    t.match(await keydctl('revoke', ...scope, '--dry-run'), 'not published');
    t.equal((await ask(PORTS.PORT_US_EAST_1_S3, 'us-east-1', 's3')).status, 200, 'a dry run revokes nothing');
    t.match(await keydctl('revoke', ...scope, '--yes'), 'published');
    const deadline = Date.now() + 15_000;
    let reason: string | null = null;
    while (reason !== 'scope-revoked' && Date.now() < deadline) {
      reason = (await ask(PORTS.PORT_US_EAST_1_S3, 'us-east-1', 's3')).headers.get('x-keyd-reason');
    }
    t.equal(reason, 'scope-revoked');
    t.equal((await ask(PORTS.PORT_EU_WEST_1_S3, 'eu-west-1', 's3')).status, 200, 'Europe stays good');
    const report = await keydctl('incident', 'report', '--region', 'us-east-1', '--from', today);
    t.match(report, 'COMPOSE', 'the report names the revocation');
  });

  await t.test('the operator sees every tier', async (t) => {
    const status = await keydctl('status', '--json');
    for (const part of ['/master/master-1', '/region/us-east-1/region-1', '/edge/eu-west-1/s3/edge-1']) {
      t.match(status, part);
    }
  });
});

const container = z.object({
  Name: z.string(),
  State: z.object({ Status: z.string(), Health: z.object({ Status: z.string() }).optional() }),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
});

function containersOf(project: string, service?: string): readonly z.infer<typeof container>[] {
  const filters = [
    `com.docker.compose.project=${project}`,
    ...(service ? [`com.docker.compose.service=${service}`] : []),
  ];
  const ids = execFileSync('docker', ['ps', '-aq', ...filters.flatMap((label) => ['--filter', `label=${label}`])]);
  const list = ids.toString().trim().split('\n');
  return z.array(container).parse(JSON.parse(execFileSync('docker', ['inspect', ...list]).toString()));
}

function addressesOf(project: string, service: string, port: number): readonly string[] {
  return containersOf(project, service).flatMap(({ NetworkSettings }) =>
    Object.values(NetworkSettings.Networks).map(({ IPAddress }) => `${IPAddress}:${port}`),
  );
}

/** Waits until every container with a health check is healthy; each look is a process of its own, so none is idle. */
async function allHealthy(project: string): Promise<void> {
  const deadline = Date.now() + 300_000;
  for (;;) {
    const ill = containersOf(project).filter(({ State }) => State.Health && State.Health.Status !== 'healthy');
    if (ill.length === 0) return;
    if (Date.now() > deadline) throw new Error(`not healthy: ${ill.map(({ Name }) => Name).join(', ')}`);
    await new Promise(setImmediate);
  }
}
