import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configuration as signerConfiguration } from '@sigv4-keyd/custody-signer';
import { configuration as deputyConfiguration } from '@sigv4-keyd/deputy-keyd';
import { configuration as edgeConfiguration } from '@sigv4-keyd/edge-verifier';
import { configuration as masterConfiguration, parseDatabaseUrl } from '@sigv4-keyd/master-keyd';
import { configuration as regionConfiguration } from '@sigv4-keyd/region-keyd';
import { ConfigurationError, readConfiguration } from '@sigv4-keyd/service-skeleton';
import type { IContainer } from 'kubernetes-models/v1/Container';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { contentsOfMountedFiles } from '../support/mounted-files.js';
import { DEPLOYMENTS } from './deployments.js';
import { madeByHand } from './made-by-hand.js';
import { kustomizeMissing, render } from './manifests.js';
import { environmentOf, mountIn } from './pod-settings.js';
import { podsOf, serviceOf, type Pods } from './pods.js';

const CONFIGURATIONS: Readonly<Record<string, z.ZodObject>> = {
  'master-keyd': masterConfiguration,
  'custody-signer': signerConfiguration,
  'deputy-keyd': deputyConfiguration,
  'region-keyd': regionConfiguration,
  'edge-verifier': edgeConfiguration,
};

const composeFile = z.object({
  services: z.record(
    z.string(),
    z.looseObject({ image: z.string(), environment: z.record(z.string(), z.string()).optional() }),
  ),
});
const compose = composeFile.parse(parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }));
/** What the Compose stack builds, and the files beside it. */
const IMAGES = new Set(
  ['docker-compose.yml', ...['deputy', 'external-signer', 'hsm'].map((name) => `deploy/compose/${name}.yml`)].flatMap(
    (file) => [...readFileSync(file, 'utf8').matchAll(/^ +image: (sigv4-keyd\/\S+)$/gm)].map(([, image]) => image),
  ),
);
/** Signers run as somebody else than masters. */
const USERS: Readonly<Record<string, number>> = { 'custody-signer': 10002 };
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync('package.json', 'utf8')));

/** The pods of every way in which the tiers can be rendered: how they are held, and that they would start. */
t.test('workloads', { skip: kustomizeMissing() }, async (t) => {
  const databaseUrl = (madeByHand().get('Secret database-owner')?.files.get('url') ?? '').replace(
    '$password',
    'secret',
  );
  const contents = await contentsOfMountedFiles(t.testdir(), databaseUrl);
  for (const [authority, overlays] of DEPLOYMENTS) {
    const resources = overlays.flatMap(render);
    const pods = podsOf(resources).filter(({ spec }) => spec);
    t.test(`${authority}: nothing that a pod could do without`, (t) => {
      for (const one of pods) mayDoLittle(t, one);
      t.end();
    });
    t.test(`${authority}: each service finds its configuration complete`, (t) => {
      pods.forEach((one, index) => {
        const { spec, workload, namespace } = one;
        const container = serviceOf(one);
        const schema = CONFIGURATIONS[workload];
        const environment = environmentOf(container, namespace, resources);
        if (!spec || !schema) {
          const { KEYD_SIGNERS, ...others } = environment;
          t.equal(
            KEYD_SIGNERS !== undefined,
            resources.some(({ metadata }) => metadata.name === 'custody-signer'),
          );
          t.same(
            Object.keys(others).toSorted(),
            Object.keys(compose.services['keydctl']?.environment ?? {}).toSorted(),
          );
          return;
        }
        const folder = join(t.testdirName, `${authority}-${index}`);
        mountIn(folder, { spec, container, madeByHand: madeByHand(), resources }, contents);
        // The module of the token comes with the image.
        const { KEYD_PKCS11_MODULE: module } = environment;
        if (module !== undefined) {
          mkdirSync(join(folder, dirname(module)), { recursive: true });
          writeFileSync(join(folder, module), '');
        }
        const inFolder = Object.entries(environment).map(([name, value]) => [
          name,
          value.startsWith('/') ? join(folder, value) : value,
        ]);
        const settings = configurationOf(t, schema, Object.fromEntries(inFolder) as Record<string, string>, namespace);
        t.equal(settings['upstream'] === undefined, workload !== 'edge-verifier');
        hasRoom(t, container, settings);
        isProbed(t, one, settings);
      });
      t.end();
    });
  }
  t.test('the documentation makes what pods of one region mount, where they are', (t) => {
    const resources = DEPLOYMENTS.filter(([name]) => !['cert-manager', 'SPIRE'].includes(name)).flatMap(
      ([, overlays]) => overlays.flatMap(render),
    );
    const made = madeByHand();
    for (const { namespace, spec } of podsOf(resources)) {
      for (const { secret, configMap } of spec?.volumes ?? []) {
        const source = secret ? `Secret ${secret.secretName}` : `ConfigMap ${configMap?.name}`;
        if (!(secret ?? configMap) || source === 'Secret database-ca') continue;
        t.ok(made.get(source)?.namespaces.includes(namespace), `${source} in ${namespace}`);
      }
    }
    t.end();
  });
  t.test('the database URL of the documentation is that of the rendered database', (t) => {
    const url = madeByHand().get('Secret database-owner')?.files.get('url') ?? '';
    const parsed = parseDatabaseUrl(url.replace('$password', 'p'));
    const cluster = render('overlays/one-region/master').find(
      ({ apiVersion, kind }) => apiVersion.startsWith('postgresql') && kind === 'Cluster',
    );
    t.equal(parsed?.hosts[0]?.name, `${cluster?.metadata.name}-rw:5432`);
    const options = new URL(url.replace('$password', 'p')).searchParams;
    t.equal(options.get('sslmode'), 'verify-full');
    t.equal(options.get('sslrootcert'), '/secrets/database-authority/ca.crt');
    t.end();
  });
});

function mayDoLittle(t: Test, one: Pods): void {
  const { spec, namespace, namespaceLabels, workload } = one;
  const name = `${namespace} ${workload}`;
  t.equal(namespaceLabels['pod-security.kubernetes.io/enforce'], 'restricted', name);
  t.match(spec, {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USERS[workload] ?? 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  });
  t.notOk(spec?.hostNetwork ?? spec?.hostPID ?? spec?.hostIPC, 'nothing of the host');
  t.ok(
    spec?.volumes?.every(({ hostPath }) => hostPath === undefined),
    'no folder of the host',
  );
  for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    t.match(container, {
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      resources: { requests: { cpu: String, memory: String }, limits: { memory: String } },
    });
    t.same(container.securityContext?.capabilities, { drop: ['ALL'] }, name);
    t.notOk(container.securityContext?.privileged);
    t.match(container.image, /^[^:]+:\d+\.\d+\.\d+$/, 'one release, and not whatever is newest');
  }
  const { image = '', args } = serviceOf(one);
  const [built = '', tag] = image.split(':');
  t.equal(tag, version);
  t.match(built, new RegExp(`^sigv4-keyd/${workload}(-hsm)?$`));
  t.ok(IMAGES.has(built), `${built}: an image that the Compose stack builds`);
  if (workload !== 'keydctl') t.same(args, ['--confined'], 'under the permission model of Node.js');
}

function configurationOf(
  t: Test,
  schema: z.ZodObject,
  environment: Record<string, string>,
  name: string,
): Readonly<Record<string, unknown>> {
  try {
    const settings = readConfiguration(schema, environment);
    t.pass(name);
    return settings;
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    t.same(error.problems, [], name);
    return {};
  }
}

const UNITS: Readonly<Record<string, number>> = { Mi: 1024 ** 2, Gi: 1024 ** 3 };

/** The process takes about 100 MiB beside its keys; the rest is for requests and for what is not collected yet. */
function hasRoom(t: Test, { resources }: IContainer, settings: Readonly<Record<string, unknown>>): void {
  const [, number, unit = ''] = /^(\d+)(\wi)$/.exec(String(resources?.limits?.['memory'])) ?? [];
  const keys = Number(settings['keyMemory'] ?? 0) + Number(settings['publicKeyMemory'] ?? 0);
  t.ok(Number(number) * (UNITS[unit] ?? 0) - keys >= 512 * 1024 ** 2, 'memory for keys, and for all else');
}

function isProbed(t: Test, one: Pods, { healthListen, metricsListen }: Readonly<Record<string, unknown>>): void {
  const { ports, startupProbe, readinessProbe, livenessProbe } = serviceOf(one);
  const numberOf = (name: unknown): number | undefined => ports?.find((port) => port.name === name)?.containerPort;
  t.match(healthListen, { port: numberOf('health') });
  t.match(metricsListen, { port: numberOf('metrics') });
  // A deputy that was granted no day is in order, and has nothing to serve.
  const ready = one.workload === 'deputy-keyd' ? '/health/live' : '/health/ready';
  t.match(readinessProbe?.httpGet, { path: ready, port: 'health' });
  for (const probe of [startupProbe, livenessProbe]) t.match(probe?.httpGet, { path: '/health/live', port: 'health' });
  // A service ends within 10 seconds, after the 5 in which an edge still gets requests.
  t.ok((one.spec?.terminationGracePeriodSeconds ?? 30) > 15, 'time to end in order');
}
