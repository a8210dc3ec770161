import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { z } from 'zod';
import { schemaProblems } from './api-schemas.js';
import { kustomizeMissing, manifestFiles, parseResources, render } from './manifests.js';

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
    'one-region/operator',
    'one-region-spire/operator',
  ];
  for (const overlay of overlays) {
    const resources = render(`overlays/${overlay}`);
    t.ok(resources.length > 3, `${overlay}: ${resources.length} resources`);
    const namespaces = resources.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
    for (const resource of resources) {
      const { kind, metadata } = resource;
      t.same(schemaProblems(resource), [], `${overlay}: ${kind} ${metadata.name}`);
      t.notMatch(JSON.stringify(resource), /IDENTITY|NAMESPACE|REGION"|"UPSTREAM"/, 'every placeholder was filled');
      const isOfCluster = /^Cluster(Issuer|SPIFFEID)$|^CertificateRequestPolicy$|^Namespace$/.test(kind);
      t.ok(
        isOfCluster ? metadata.namespace === undefined : namespaces.includes(metadata.namespace ?? ''),
        'where it is',
      );
    }
  }
  t.end();
});
