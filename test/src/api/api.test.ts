import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { apiFileOf } from '../docs/api-files.js';
import { send, signed, type Draft } from '../edge-verifier/client.js';
import { OutageStack } from '../outages/outage-stack.js';
import { answersOf, type OpenApi } from './openapi.js';
import { appsMadeBy, isOfTheApi, type ServedApp } from './served-routes.js';

t.setTimeout(170_000);

const SERVICES = ['master-keyd', 'deputy-keyd', 'region-keyd', 'edge-verifier', 'custody-signer'] as const;
const DOCUMENTS = new Map(
  SERVICES.map((service) => [service, JSON.parse(readFileSync(apiFileOf(service), 'utf8')) as OpenApi]),
);

/** What passed a listener: a question as it was read, or an answer as it was written. */
interface Passed {
  readonly app: FastifyInstance;
  readonly method: string;
  /** As the route is defined; undefined: there is none. */
  readonly url: string | undefined;
  readonly status?: number;
  readonly type?: string;
  readonly body: unknown;
}

/** Whole tiers that run, and all that passes their listeners from now on. */
async function watchedTiers(t: Test): Promise<{
  readonly stack: OutageStack;
  readonly apps: readonly ServedApp[];
  readonly passed: readonly Passed[];
}> {
  const passed: Passed[] = [];
  let stack: OutageStack | undefined;
  const apps = await appsMadeBy(
    async () => {
      stack = await OutageStack.start(t, '15:00');
    },
    (app) => {
      app.addHook('preValidation', (request, _reply, done) => {
        const { method, routeOptions, body } = request;
        if (body !== undefined) passed.push({ app, method, url: routeOptions.url, body });
        done();
      });
      app.addHook('onSend', (request, reply, payload, done) => {
        const { method, routeOptions } = request;
        const type = String(reply.getHeader('content-type') ?? '').split(';')[0] ?? '';
        passed.push({ app, method, url: routeOptions.url, status: reply.statusCode, type, body: payload });
        done(null, payload);
      });
    },
  );
  if (!stack) throw new Error('the tiers did not start');
  return { stack, apps, passed };
}

const keyOf = ({ method, url }: { readonly method: string; readonly url: string }): string =>
  `${method.toLowerCase()} ${url.replace(/:([A-Za-z]+)/g, '{$1}')}`;

/** Every operation of a document, by `get /path`. */
function operationsOf(document: OpenApi): ReadonlyMap<string, OpenApi['paths'][string][string]> {
  return new Map(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
    ),
  );
}

type Contents = Readonly<Record<string, { readonly schema?: Parameters<typeof z.fromJSONSchema>[0] }>>;

/** The contents of an answer; that of an error stands among the components. */
function contentsOf(document: OpenApi, answer: Readonly<Record<string, unknown>>): Contents {
  const name = typeof answer['$ref'] === 'string' ? answer['$ref'].replace('#/components/responses/', '') : undefined;
  const { responses } = document['components'] as { readonly responses: Readonly<Record<string, object>> };
  const whole = name === undefined ? answer : responses[name];
  return (whole as { readonly content?: Contents }).content ?? {};
}

t.test('running services serve what is written down, ask for it and answer it', async (t) => {
  const { stack, apps, passed } = await watchedTiers(t);
  const day = new Date(stack.clock.now()).toISOString().slice(0, 10);
  const accessKey = await stack.createAccessKey('ann');
  const { accessKeyId, secretAccessKey: secret } = accessKey;
  const draft = (more?: Partial<Draft>): Draft => ({ accessKeyId, secret, now: stack.clock.now(), ...more });
  t.equal(await stack.verdictOn(accessKey), 'served');
  await send(stack.proxy, signed(draft({ accessKeyId: 'AKIANOBODY' })));
  for (const tier of ['master', 'region', 'edge'] as const) {
    await stack.scrape(tier);
    for (const path of ['/health/live', '/health/ready', '/status']) await fetch(`http://${stack.health(tier)}${path}`);
  }
  const bob = await stack.createAccessKey('bob');
  const keydctl = (...args: readonly string[]): Promise<unknown> => stack.keydctl(...args);
  await keydctl('access-key', 'list');
  await keydctl('access-key', 'show', accessKeyId);
  await keydctl('access-key', 'pin', accessKeyId);
  await keydctl('access-key', 'rotate', bob.accessKeyId, '--yes');
  await keydctl('access-key', 'disable', bob.accessKeyId);
  await keydctl('session', 'create', '--for', accessKeyId, '--duration', '1h');
  const scope = ['--access-key', bob.accessKeyId, '--from', day];
  await keydctl('revoke', ...scope, '--incident', 'INC-1', '--reason', 'a test', '--yes');
  await keydctl('incident', 'report', ...scope);
  await keydctl('identity', 'list');
  await keydctl('status');
  await t.rejects(keydctl('access-key', 'show', 'AKIANOBODY'));
  for (let beats = 0; beats < 20; beats += 1) await stack.leap(1_000);

  const described = new Map<FastifyInstance, OpenApi>();
  for (const { app, routes } of apps) {
    const own = routes.filter(isOfTheApi);
    if (own.length === 0) continue;
    const keys = own.map(keyOf);
    const document = [...DOCUMENTS.values()].find((one) => keys.every((key) => operationsOf(one).has(key)));
    t.ok(document, `the routes ${keys.slice(0, 3).join(', ')}, ... are written down: npm run docs`);
    if (!document) continue;
    described.set(app, document);
    for (const route of own) t.ok(answersOf(route).length > 0, `${keyOf(route)}: what it answers is known`);
  }
  t.equal(described.size, 8, 'three listeners of master and region, and two of the edge beside its fronts');

  const operations = new Set<string>();
  for (const { app, method, url, status, type = 'application/json', body } of passed) {
    const document = described.get(app);
    if (!document || url === undefined || !isOfTheApi({ url })) continue;
    const key = keyOf({ method, url });
    const operation = operationsOf(document).get(key);
    if (!operation) {
      t.fail(`${key} is not written down`);
      continue;
    }
    const answer = status === undefined ? operation['requestBody'] : operation.responses[String(status)];
    const what = status === undefined ? `${key}: question` : `${key}: ${String(status)} ${type}`;
    if (answer === undefined) {
      t.fail(`${what} is not written down`);
      continue;
    }
    const contents = contentsOf(document, answer as Readonly<Record<string, unknown>>);
    if (body === undefined || body === null || body === '') continue;
    t.ok(type in contents, `${what}: its type is written down`);
    const schema = contents[type]?.schema;
    if (schema === undefined) continue;
    const { success, error } = z.fromJSONSchema(schema).safeParse(typeof body === 'string' ? JSON.parse(body) : body);
    if (!success) t.fail(`${what}: ${z.prettifyError(error)}`);
    operations.add(what);
  }
  t.ok(
    operations.size >= 30,
    `${operations.size} kinds of questions and answers were compared: ${[...operations].join('; ')}`,
  );
});

t.test('the documents are whole', (t) => {
  for (const [service, document] of DOCUMENTS) {
    const operations = [...operationsOf(document).values()];
    const ids = operations.map((operation) => operation['operationId']);
    t.equal(new Set(ids).size, ids.length, `${service}: no id of an operation twice`);
    const codes = JSON.stringify(document['components']);
    t.match(codes, '"not-authenticated"', 'errors have their codes');
    for (const operation of operations) {
      if (operation['security'] === undefined) continue;
      t.ok(Array.isArray(operation['x-roles']), 'who is served is said');
      t.ok('403' in operation.responses && '503' in operation.responses);
    }
  }
  t.end();
});
