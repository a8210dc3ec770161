import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configuration as signerConfiguration } from '@sigv4-keyd/custody-signer';
import { configuration as deputyConfiguration } from '@sigv4-keyd/deputy-keyd';
import { configuration as edgeConfiguration } from '@sigv4-keyd/edge-verifier';
import { createSignerKey } from '@sigv4-keyd/hop-protocol';
import { configuration as masterConfiguration } from '@sigv4-keyd/master-keyd';
import { configuration as regionConfiguration } from '@sigv4-keyd/region-keyd';
import { ConfigurationError, readConfiguration } from '@sigv4-keyd/service-skeleton';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { missing } from '../fronts/front-under-test.js';
import { contentsOfMountedFiles } from '../support/mounted-files.js';
import { composeProgram } from './compose-program.js';
import { BOUNDARIES, ONE_SHOTS, OPEN_NETWORKS, regionOf, tierOf } from './tiers.js';
import { isBounded, isPinned, mayDoLittle } from './confinement.js';
import { filesOf, render, VARIANTS, type StackService, type Variant } from './stack-files.js';

/** What each variant would start, read from its files: no engine is needed, and none is asked. */
const STACKS = Object.entries(VARIANTS).map(([name, variant]: [string, Variant]) => ({ name, stack: render(variant) }));

const CONFIGURATIONS: Readonly<Record<string, z.ZodObject>> = {
  'sigv4-keyd/master-keyd': masterConfiguration,
  'sigv4-keyd/master-keyd-hsm': masterConfiguration,
  'sigv4-keyd/custody-signer': signerConfiguration,
  'sigv4-keyd/deputy-keyd': deputyConfiguration,
  'sigv4-keyd/region-keyd': regionConfiguration,
  'sigv4-keyd/edge-verifier': edgeConfiguration,
};

/** Labels of keys and tokens, and a public key; none opens anything. */
const NO_SECRETS = ['KEYD_PKCS11_KEY', 'KEYD_PKCS11_TOKEN'];

// Compose itself is asked for each set of files, and takes its time on a busy machine.
t.setTimeout(170_000);
const signerKey = createSignerKey();
const contents = {
  ...(await contentsOfMountedFiles(t.testdir(), 'postgres://keyd:secret@postgres:5432/keyd')),
  'signer.jwk': signerKey.privateJwk,
  'signer.pub.jwk': signerKey.publicJwk,
  pin: '4711',
};

for (const { name: variant, stack } of STACKS) {
  t.test(`${variant}: nothing that a container could do without`, (t) => {
    for (const [name, one] of Object.entries(stack.services)) {
      mayDoLittle(t, name, one);
      isBounded(t, name, one);
      isPinned(t, name, one);
    }
    t.end();
  });

  t.test(`${variant}: what runs on is started again, and healthy when it is ready`, (t) => {
    for (const [name, { restart, healthcheck, networks, network_mode, image, profiles }] of Object.entries(
      stack.services,
    )) {
      if (ONE_SHOTS.includes(name)) {
        t.equal(restart, 'no', name);
        t.equal(network_mode, 'none', name);
        t.same(networks, {}, name);
      } else if (profiles.includes('operator')) {
        t.equal(restart, 'no', name);
      } else {
        t.equal(restart, 'unless-stopped', name);
        const asks = healthcheck?.test?.join(' ') ?? '';
        if (image in CONFIGURATIONS) t.match(asks, '//127.0.0.1:8081/health/ready', name);
        else t.match(asks, /pg_isready|\/-\/ready|\/api\/health|127\.0\.0\.1:9000/, name);
      }
    }
    t.end();
  });

  t.test(`${variant}: a network for each boundary between tiers`, (t) => {
    const tiers = Object.entries(stack.services).map(([name, one]) => ({ tier: tierOf(name), ...one }));
    for (const [network, definition] of Object.entries(stack.networks)) {
      const on = new Set(tiers.filter(({ networks }) => network in networks).map(({ tier }) => tier));
      const allowed = BOUNDARIES[network] ?? [];
      t.strictSame(
        [...on].filter((tier) => !allowed.includes(tier)),
        [],
        network,
      );
      t.equal(
        definition?.internal === true,
        !OPEN_NETWORKS.includes(network),
        `${network} has ${OPEN_NETWORKS.includes(network) ? 'a' : 'no'} way out`,
      );
    }
    for (const [name, { ports, networks }] of Object.entries(stack.services)) {
      for (const port of ports) t.match(port, /^127\.0\.0\.1:/, `${name} is reached from this machine alone`);
      if (ports.length > 0)
        t.ok(
          OPEN_NETWORKS.some((network) => network in networks),
          name,
        );
    }
    t.end();
  });

  t.test(`${variant}: secrets come as files, each to its owner`, (t) => {
    for (const [name, { environment }] of Object.entries(stack.services)) {
      for (const [variable, value] of Object.entries(environment)) {
        if (value === '' || NO_SECRETS.includes(variable)) continue;
        if (/KEY|PASSWORD|PIN|SECRET|TOKEN|DATABASE_URL/.test(variable.replace('KEYD_', ''))) {
          t.match(variable, /_FILE$|^KEYD_TLS_KEY$/, `${name} ${variable}`);
          t.match(value, /^\//, `${name} ${variable}`);
        }
      }
    }
    const makers = [...ONE_SHOTS, 'postgres'];
    const owners = new Map<string, string[]>();
    for (const [name, { volumes }] of Object.entries(stack.services)) {
      for (const volume of volumes) {
        const [source = '', , mode] = volume.split(':');
        if (source.startsWith('./')) t.equal(mode, 'ro', `${name} ${volume}`);
        t.match(
          source,
          /^(?:\.\/deploy\/|[a-z0-9-]+$)/,
          `${name} mounts nothing of this machine but what is in deploy`,
        );
        if (!makers.includes(name)) owners.set(source, [...(owners.get(source) ?? []), name]);
        if (
          /^(?:credentials|custody|feed-|ledger-signing|database-|signer|token-pin)/.test(source) &&
          !makers.includes(name)
        ) {
          t.equal(mode, 'ro', `${name} ${volume}`);
        }
      }
    }
    for (const [volume, names] of owners) {
      if (volume.startsWith('./') || volume === 'feed-keys') continue;
      const tiers = new Set(names.map(tierOf));
      t.equal(tiers.size, 1, `${volume}: ${names.join(', ')}`);
      // Masters share what only they may have; nothing else is shared.
      if (!tiers.has('master')) t.equal(names.length, 1, `${volume}: ${names.join(', ')}`);
    }
    for (const root of ['ca', 'feed-root']) t.notOk(owners.has(root), `${root} is mounted by nobody who stays`);
    t.end();
  });

  t.test(`${variant}: each service finds its configuration complete`, (t) => {
    for (const [name, one] of Object.entries(stack.services)) {
      const schema = CONFIGURATIONS[one.image];
      if (schema) t.same(problemsOf(schema, one, { folder: join(t.testdir(), name), contents }), [], name);
    }
    t.end();
  });
}

t.test(
  'Compose reads the files as we do',
  { skip: composeProgram() ? false : 'COMPOSE IS NOT INSTALLED HERE: it was not asked about the files' },
  (t) => {
    const [program = '', ...first] = composeProgram() ?? [];
    const profiles = ['operator', 'two-regions'];
    for (const [name, { files, profiles: own }] of Object.entries<Variant>(VARIANTS)) {
      // The profiles are all asked for: that leaves the sets of files.
      if (own.length > 0) continue;
      const variant = { files, profiles };
      const options = [
        ...filesOf(variant).flatMap((file) => ['-f', file]),
        ...profiles.flatMap((one) => ['--profile', one]),
      ];
      const said = execFileSync(program, [...first, ...options, 'config', '--services'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      t.same(said.toString().trim().split('\n').toSorted(), Object.keys(render(variant).services).toSorted(), name);
    }
    t.end();
  },
);

const scraped = z.object({
  scrape_configs: z.array(
    z.object({ job_name: z.string(), static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
  ),
});

for (const regions of ['one-region', 'two-regions'] as const) {
  const file = `deploy/compose/prometheus-${regions}.yml`;
  const { services } = render({ files: ['observability'], profiles: regions === 'two-regions' ? [regions] : [] });

  t.test(`${regions}: Prometheus watches every service, where no tier below can`, (t) => {
    const jobs = scraped.parse(parse(readFileSync(file, 'utf8'))).scrape_configs;
    const watched = jobs.flatMap(({ job_name, static_configs }) =>
      static_configs.flatMap(({ targets }) => targets.map((target) => `${job_name} ${target}`)),
    );
    const keyd = Object.entries(services).filter(([, { image }]) => image in CONFIGURATIONS);
    t.same(
      watched.toSorted(),
      keyd
        .map(
          ([, { image, environment }]) => `${image.slice('sigv4-keyd/'.length)} ${environment['KEYD_METRICS_LISTEN']}`,
        )
        .toSorted(),
    );
    for (const [name, { environment, networks }] of keyd) {
      const [listens = ''] = (environment['KEYD_METRICS_LISTEN'] ?? '').split(':');
      const known = Object.entries(networks).filter(([, network]) => network?.aliases?.includes(listens));
      const upwards = tierOf(name) === 'edge' ? regionOf(name) : 'masters';
      t.same(
        known.map(([network]) => network),
        [upwards],
        `${name} tells its metrics towards the tier above alone`,
      );
      t.ok(upwards in (services['prometheus']?.networks ?? {}), name);
    }
    t.end();
  });

  const promtool = missing('promtool', '--version');
  t.test(`${regions}: promtool has nothing to say`, { skip: promtool }, (t) => {
    t.match(execFileSync('promtool', ['check', 'config', file]).toString(), 'SUCCESS');
    t.end();
  });
}

/** What the service would say of its configuration, with its volumes at `folder`. */
function problemsOf(
  schema: z.ZodObject,
  { environment, volumes, tmpfs }: StackService,
  { folder, contents }: { readonly folder: string; readonly contents: Readonly<Record<string, string>> },
): readonly string[] {
  const mounted = [
    ...volumes.map((volume) => volume.split(':')[1] ?? ''),
    ...tmpfs.map((path) => path.split(':')[0] ?? ''),
  ];
  for (const path of mounted) mkdirSync(join(folder, dirname(join(path, 'x'))), { recursive: true });
  const inFolder = Object.entries(environment).map(([name, value]): [string, string] => {
    if (!mounted.some((path) => value.startsWith(path))) return [name, value];
    const content = contents[value.split('/').at(-1) ?? ''];
    if (content !== undefined) writeFileSync(join(folder, value), content);
    return [name, join(folder, value)];
  });
  try {
    readConfiguration(schema, Object.fromEntries(inFolder));
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

t.test('the example of settings has every setting, as it is by itself', (t) => {
  const files = new Set(Object.values(VARIANTS).flatMap((variant: Variant) => filesOf(variant)));
  const used = [...files].flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/\$\{(?<name>\w+):-(?<fallback>[^}]*)\}/g),
  ]);
  const example = readFileSync('deploy/compose/example.env', 'utf8').split('\n');
  t.ok(used.length > 20);
  for (const { groups } of used) {
    // It is given for one command, and no setting of the stack.
    if (groups?.['name'] === 'RENEW') continue;
    const line = `${groups?.['name']}=${groups?.['fallback']}`;
    t.ok(example.includes(line), line);
  }
  t.end();
});

/** Unused services are enabled by no variant: everything that the files define is looked at above. */
t.test('no service is left out', (t) => {
  const looked = new Set(STACKS.flatMap(({ stack }) => Object.keys(stack.services)));
  const files = new Set(Object.values(VARIANTS).flatMap((variant: Variant) => filesOf(variant)));
  for (const file of files) {
    const { services } = z
      .object({ services: z.record(z.string(), z.unknown()) })
      .parse(parse(readFileSync(file, 'utf8'), { merge: true }));
    for (const service of Object.keys(services)) t.ok(looked.has(service), `${file}: ${service}`);
  }
  t.end();
});
