import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { schemaProblems } from './api-schemas.js';
import {
  kustomizeMissing,
  manifestFiles,
  ofKind,
  parseResources,
  render,
  renderWith,
  type Resource,
} from './manifests.js';

/** The manifests against the schemas of the Kubernetes API, and of the operators that they are for. */
t.test('each file is what the schemas of the Kubernetes API say', (t) => {
  const files = manifestFiles();
  t.ok(files.length > 20, `${files.length} files`);
  for (const file of files) {
    for (const resource of parseResources(readFileSync(file, 'utf8'))) {
      t.same(schemaProblems(resource), [], `${file}: ${resource.kind} ${resource.metadata.name}`);
    }
  }
  t.end();
});

t.test('what an API server would refuse, or drop without a word, is found', (t) => {
  const [policy] = parseResources(readFileSync('deploy/kubernetes/base/edge/disruption-budget.yaml', 'utf8'));
  if (!policy) throw new Error('there is no disruption budget');
  const withSpec = (spec: object) => ({ ...policy, spec: { ...(policy['spec'] as object), ...spec } });
  t.same(schemaProblems(withSpec({})), []);
  t.same(schemaProblems(withSpec({ maxUnavailabel: 1 })), ['/spec/maxUnavailabel: no such field']);
  t.match(schemaProblems(withSpec({ selector: 'all' })), [/selector/]);
  t.match(schemaProblems({ ...policy, kind: 'PodDisruptionBudgets' }), [/no schema is known/]);
  t.end();
});

t.test('the command of the documentation makes a PrometheusRule of the alert rules', (t) => {
  const [, command = ''] =
    /^ *(\{ printf .*?\}) \| kubectl apply/ms.exec(readFileSync('docs/kubernetes.md', 'utf8')) ?? [];
  const [rule, ...others] = parseResources(execFileSync('sh', ['-c', command]).toString());
  t.ok(rule && others.length === 0, 'one resource');
  t.same(rule && schemaProblems(rule), []);
  const rules = z.object({ groups: z.tuple([z.object({ rules: z.array(z.object({ alert: z.string() })) })]) });
  t.ok(rules.parse(rule?.['spec']).groups[0].rules.length > 10, 'with the rules in it');
  t.end();
});

t.test('rendered', { skip: kustomizeMissing() }, (t) => {
  const overlays = [
    'one-region',
    'two-regions',
    'one-region-spire',
    'one-region-deputy',
    'one-region-signer',
    'one-region-hsm',
    'one-region/operator',
    'one-region-spire/operator',
    'one-region-signer/operator',
  ];
  for (const overlay of overlays) {
    const resources = render(`overlays/${overlay}`);
    t.ok(resources.length > 3, `${overlay}: ${resources.length} resources`);
    isComplete(t, resources, overlay);
  }
  t.end();
});

t.test('components go together', { skip: kustomizeMissing() }, (t) => {
  const environmentWith = (tier: string, components: readonly string[]): ReadonlyMap<string, string | undefined> => {
    const folder = join(t.testdirName, tier, components.length.toString());
    const resources = renderWith(folder, tier, [...components, 'monitoring', 'images']);
    isComplete(t, resources, `${tier} with ${components.join(', ')}`);
    const containers = ofKind(resources, 'StatefulSet').flatMap(({ spec }) => spec?.template.spec?.containers ?? []);
    return new Map(containers.flatMap(({ env = [] }) => env.map(({ name, value }) => [name, value])));
  };
  t.testdir();
  for (const tier of ['deputy', 'signer']) {
    t.equal(environmentWith(tier, ['spire']).get('KEYD_TLS_CA'), '/credentials/ca.crt', `${tier} by SPIRE`);
  }
  const master = environmentWith('master', [
    'spire',
    'deputies/master',
    'external-signer/master',
    'custody-key-before',
  ]);
  t.equal(master.get('KEYD_CUSTODY_KEY_BEFORE_FILE'), '/secrets/custody/custody.key', 'a move away from a key file');
  t.notOk(master.has('KEYD_CUSTODY_KEY_FILE'));
  t.same([master.get('KEYD_CUSTODY'), master.get('KEYD_ALLOW_DEPUTIES')], ['external', 'yes']);
  t.end();
});

function isComplete(t: Test, resources: readonly Resource[], overlay: string): void {
  const namespaces = resources.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  for (const resource of resources) {
    const { kind, metadata } = resource;
    t.same(schemaProblems(resource), [], `${overlay}: ${kind} ${metadata.name}`);
    t.notMatch(JSON.stringify(resource), /IDENTITY|NAMESPACE|REGION"|"UPSTREAM"/, 'every placeholder was filled');
    const isOfCluster = /^Cluster(Issuer|SPIFFEID)$|^CertificateRequestPolicy$|^Namespace$/.test(kind);
    t.ok(isOfCluster ? metadata.namespace === undefined : namespaces.includes(metadata.namespace ?? ''), 'where it is');
  }
}
