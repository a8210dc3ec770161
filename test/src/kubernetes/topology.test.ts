import { readFileSync } from 'node:fs';
import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf } from '@sigv4-keyd/hop-protocol';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { DEPLOYMENTS } from './deployments.js';
import { kustomizeMissing, ofKind, render, type Resource } from './manifests.js';
import { environmentOf } from './pod-settings.js';
import { podsOf, serviceOf, type Pods } from './pods.js';
import { selects } from './reachability.js';

const [, jobs = ''] = /up\{job=~"([^"]+)"\}/.exec(readFileSync('deploy/observability/alerts.yml', 'utf8')) ?? [];
const KNOWN_TO_ALERTS = new Set(jobs.split('|'));

/** Who the pods are, whom they know, and what stands before them, for both ways of getting certificates. */
t.test('topology', { skip: kustomizeMissing() }, (t) => {
  for (const [authority, overlays] of DEPLOYMENTS) {
    const resources = overlays.flatMap(render);
    const pods = podsOf(resources).filter(({ spec }) => spec);
    t.test(`${authority}: each pod has an identity of its tier and region`, (t) => {
      for (const one of pods) hasItsScope(t, one, identityGivenTo(one, resources), resources);
      t.end();
    });
    t.test(`${authority}: each workload has a service account of its own, which may do nothing`, (t) => {
      const accounts = ofKind(resources, 'ServiceAccount');
      t.equal(accounts.length, pods.length);
      for (const { namespace, workload, spec } of pods) {
        const account = accounts.find(({ metadata }) => metadata?.namespace === namespace);
        t.match(account, { metadata: { name: workload }, automountServiceAccountToken: false });
        t.equal(spec?.serviceAccountName, workload);
      }
      const subjects = resources
        .filter(({ kind }) => kind === 'RoleBinding')
        .map((one) => z.array(z.object({ name: z.string() })).parse(one['subjects']));
      t.ok(
        subjects.flat().every(({ name }) => name === 'cert-manager-csi-driver'),
        'no role is bound to any',
      );
      t.end();
    });
    t.test(`${authority}: each tier knows every replica of the tier above by name`, (t) => {
      for (const one of pods) knowsParents(t, one, resources);
      t.end();
    });
    t.test(`${authority}: budgets, scaling, addresses and monitors are of pods that there are`, (t) => {
      const budgets = ofKind(resources, 'PodDisruptionBudget');
      const budgeted = pods.filter((one) =>
        budgets.some(
          ({ metadata, spec }) => one.namespace === metadata?.namespace && selects(spec?.selector, one.labels),
        ),
      );
      t.same(
        budgeted,
        pods.filter(({ workload }) => workload !== 'keydctl'),
        'each service, and no operator',
      );
      t.equal(budgets.length, budgeted.length);
      for (const { metadata, spec } of ofKind(resources, 'HorizontalPodAutoscaler')) {
        const target = pods.find(
          (one) => one.namespace === metadata?.namespace && one.workload === spec.scaleTargetRef.name,
        );
        t.ok(target && serviceOf(target).resources?.requests?.['cpu'], 'what is scaled asks for processors');
      }
      for (const { metadata, spec } of ofKind(resources, 'Service')) {
        for (const { targetPort } of spec?.ports ?? []) {
          const port = portOf(
            pods,
            metadata?.namespace,
            (labels) => selects({ matchLabels: spec?.selector ?? {} }, labels),
            targetPort,
          );
          t.equal(port, 8443, `${metadata?.namespace}: the port of the service`);
        }
      }
      for (const { metadata, spec } of ofKind(resources, 'PodMonitor')) {
        const port = portOf(
          pods,
          metadata?.namespace,
          (labels) => selects(spec.selector, labels),
          spec.podMetricsEndpoints?.[0]?.port,
        );
        t.equal(port, 9464, `${metadata?.namespace}: the port of the metrics`);
        const jobs = pods
          .filter((one) => one.namespace === metadata?.namespace)
          .map(({ labels }) => labels[spec.jobLabel ?? '']);
        for (const job of jobs)
          t.ok(job !== undefined && KNOWN_TO_ALERTS.has(job), `${job}: a job that the alert rules know`);
      }
      t.end();
    });
  }
  t.end();
});

/** The SPIFFE id that the pods of a workload get, with the place for their names as it is written. */
function identityGivenTo({ spec, namespace }: Pods, resources: readonly Resource[]): string {
  const attributes = spec?.volumes?.find(({ name }) => name === 'credentials')?.csi?.volumeAttributes;
  const byDriver = attributes?.['csi.cert-manager.io/uri-sans'];
  if (byDriver !== undefined) return byDriver.replace('${POD_NAME}', 'NAME');
  const entry = resources.find(({ kind, metadata }) => kind === 'ClusterSPIFFEID' && metadata.name === namespace);
  const template = z.object({ spiffeIDTemplate: z.string() }).parse(entry?.['spec']).spiffeIDTemplate;
  return template.replace('{{ .PodMeta.Name }}', 'NAME');
}

function hasItsScope(t: Test, one: Pods, template: string, resources: readonly Resource[]): void {
  const { namespace, namespaceLabels, names, workload } = one;
  for (const name of names) {
    const id = parseSpiffeId(template.replace('NAME', name));
    const identity = id && identityOf(id);
    const role = namespaceLabels['sigv4-keyd/tier'];
    const region = namespaceLabels['sigv4-keyd/region'];
    t.match(identity, { role, name, ...(region !== undefined && { region }) }, `${namespace} ${name}`);
    if (identity?.role === 'edge') t.equal(namespace, `keyd-edge-${identity.region}-${identity.service}`);
    const { KEYD_TRUST_DOMAIN: told } = environmentOf(serviceOf(one), namespace, resources);
    if (workload !== 'keydctl') t.equal(identity?.trustDomain, told);
  }
  for (const { metadata, spec } of ofKind(resources, 'CertificateRequestPolicy')) {
    if (metadata?.name !== namespace) continue;
    t.same(spec.selector.namespace, { matchNames: [namespace] });
    t.same(spec.allowed, {
      uris: { values: [template.replace('NAME', '*')], required: true },
      usages: ['digital signature', 'server auth', 'client auth'],
    });
  }
}

/** KEYD_MASTERS and KEYD_REGIONS name each pod of the set above, once. */
function knowsParents(t: Test, one: Pods, resources: readonly Resource[]): void {
  const environment = environmentOf(serviceOf(one), one.namespace, resources);
  const { KEYD_MASTERS, KEYD_REGIONS, KEYD_MASTER, KEYD_DEPUTIES, KEYD_SIGNERS, KEYD_CUSTODY } = environment;
  const urls = urlsIn(KEYD_MASTERS ?? KEYD_REGIONS ?? KEYD_MASTER);
  const isTop = ['master-keyd', 'custody-signer'].includes(one.workload);
  t.equal(urls.length > 0, !isTop, one.namespace);
  const known = ofKind(resources, 'StatefulSet').flatMap(({ metadata, spec }) =>
    Array.from(
      { length: spec?.replicas ?? 0 },
      (_, index) =>
        `https://${metadata?.name}-${index}.${spec?.serviceName}.${metadata?.namespace}.svc.cluster.local:8443`,
    ),
  );
  const above = KEYD_REGIONS === undefined ? 'keyd-master' : `keyd-region-${one.namespaceLabels['sigv4-keyd/region']}`;
  const of = (namespace: string): readonly string[] => known.filter((url) => url.includes(`.${namespace}.`));
  if (KEYD_MASTER !== undefined) t.ok(of(above).includes(KEYD_MASTER));
  else if (!isTop) t.same(urls.toSorted(), of(above).toSorted(), one.namespace);
  if (one.workload === 'region-keyd') t.same(urlsIn(KEYD_DEPUTIES), of('keyd-deputy'), 'and every deputy');
  if (one.workload === 'master-keyd') t.equal(KEYD_CUSTODY === 'external', of('keyd-signer').length > 0);
  if (['master-keyd', 'keydctl'].includes(one.workload)) t.same(urlsIn(KEYD_SIGNERS), of('keyd-signer'), 'each signer');
}

function urlsIn(list = ''): readonly string[] {
  return list.split(',').filter((url) => url !== '');
}

function portOf(
  pods: readonly Pods[],
  namespace: string | undefined,
  isSelected: (labels: Pods['labels']) => boolean,
  name: unknown,
): number | undefined {
  const one = pods.find((candidate) => candidate.namespace === namespace && isSelected(candidate.labels));
  return one && serviceOf(one).ports?.find((port) => port.name === name)?.containerPort;
}
