import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import t from 'tap';
import { breaches, HSM, inNamespace, neighboursOf, strangerBeside, tcp, type Way } from './boundaries.js';
import { brokenPolicies } from './broken-policies.js';
import { DEPLOYMENTS } from './deployments.js';
import { kustomizeMissing, ofKind, render, type Resource } from './manifests.js';
import { environmentOf } from './pod-settings.js';
import { outsider, podsOf, serviceOf, type Pods } from './pods.js';
import { isReachable } from './reachability.js';

/** Who reaches whom, by the policies alone: all pairs of tiers, with two regions and an operator. */
t.test('network policies', { skip: kustomizeMissing() }, (t) => {
  const [[, overlays]] = DEPLOYMENTS;
  const resources = overlays.flatMap(render);
  const policies = ofKind(resources, 'NetworkPolicy');
  const tiers = podsOf(resources);
  const PORTS = tcp(53, 80, 443, 5432, 8000, 8080, 8081, 8443, 9000, 9187, 9464);
  const nameOf = ({ namespace, workload }: { namespace: string; workload: string }): string =>
    workload === 'database' ? 'database' : namespace.replace('keyd-', '');

  t.test('between tiers: an edge and its region, a region and the masters, the masters and their database', (t) => {
    const reached = tiers.flatMap((from) =>
      tiers.flatMap((to) =>
        PORTS.filter((port) => isReachable(policies, from, to, port)).map(
          (port) => `${nameOf(from)} > ${nameOf(to)} ${port.port}`,
        ),
      ),
    );
    t.same(reached.toSorted(), [
      'database > database 5432',
      'database > database 8000',
      'edge-eu-west-1-execute-api > region-eu-west-1 8443',
      'edge-eu-west-1-s3 > region-eu-west-1 8443',
      'edge-us-east-1-execute-api > region-us-east-1 8443',
      'edge-us-east-1-s3 > region-us-east-1 8443',
      'master > database 5432',
      'operator > master 8443',
      'region-eu-west-1 > master 8443',
      'region-us-east-1 > master 8443',
    ]);
    t.end();
  });

  t.test(
    'from outside: clients reach edges, Prometheus reaches metrics, an operator of PostgreSQL the database',
    (t) => {
      const reachedBy = (namespace: string): readonly string[] =>
        tiers
          .flatMap((to) =>
            PORTS.filter((port) => isReachable(policies, outsider(namespace), to, port)).map(
              (port) => `${nameOf(to)} ${port.port}`,
            ),
          )
          .toSorted();
      const edges = tiers.filter(({ workload }) => workload === 'edge-verifier').map((edge) => `${nameOf(edge)} 8443`);
      t.same(reachedBy('default'), edges.toSorted());
      t.same(reachedBy('cnpg-system'), ['database 5432', 'database 8000', ...edges].toSorted());
      const metrics = tiers
        .filter(({ workload }) => /^(master|region)-keyd$|^edge-verifier$/.test(workload))
        .map((one) => `${nameOf(one)} 9464`);
      t.same(reachedBy('monitoring'), [...metrics, ...edges].toSorted());
      t.end();
    },
  );

  t.test('to outside: names are looked up, edges reach what they stand before, the database the API server', (t) => {
    const outside = [outsider('kube-system', { 'k8s-app': 'kube-dns' }), outsider('kube-system'), outsider('storage')];
    const reached = tiers.flatMap((from) =>
      [...outside, outsider('backend'), outsider('default')].flatMap((to, index) =>
        PORTS.filter((port) => isReachable(policies, from, to, port)).map(
          (port) => `${nameOf(from)} > ${index === 0 ? 'dns' : to.namespace} ${port.port}`,
        ),
      ),
    );
    const databases = ['dns', 'kube-system', 'storage', 'backend', 'default'].map((to) => `database > ${to} 443`);
    t.same(
      reached.toSorted(),
      [
        ...tiers.map((from) => `${nameOf(from)} > dns 53`),
        ...databases,
        'edge-eu-west-1-execute-api > backend 8080',
        'edge-eu-west-1-s3 > storage 9000',
        'edge-us-east-1-execute-api > backend 8080',
        'edge-us-east-1-s3 > storage 9000',
      ].toSorted(),
    );
    t.end();
  });

  t.end();
});

/** The service that an edge stands before, as its settings name it, and the HSM of masters that have one. */
function ownWaysOf(self: Pods, resources: readonly Resource[]): readonly Way[] {
  if (!self.spec || !['edge-verifier', 'master-keyd'].includes(self.workload)) return [];
  const { KEYD_UPSTREAM, KEYD_CUSTODY } = environmentOf(serviceOf(self), self.namespace, resources);
  if (KEYD_CUSTODY === 'pkcs11') return [{ isWith: ({ workload }) => workload === HSM, ports: tcp(1792) }];
  if (KEYD_UPSTREAM === undefined) return [];
  const { hostname, port } = new URL(KEYD_UPSTREAM);
  return [{ isWith: inNamespace(hostname.split('.')[1] ?? ''), ports: tcp(Number(port)) }];
}

/** Each end of each boundary by itself, with neighbours that take on names and labels that are not theirs. */
t.test('boundaries', { skip: kustomizeMissing() }, (t) => {
  for (const [deployment, overlays] of DEPLOYMENTS) {
    const resources = overlays.flatMap(render);
    const policies = ofKind(resources, 'NetworkPolicy');
    const tiers = podsOf(resources);
    t.ok(tiers.length > 4, `${deployment}: ${tiers.length} workloads`);
    const neighbours = neighboursOf(tiers);
    const breachesOf = (changed: readonly INetworkPolicy[], pods: readonly Pods[]): readonly string[] => {
      const [breach] = breaches(changed, pods, neighbours, (self) => ownWaysOf(self, resources));
      if (!breach) return [];
      const { self, other, port, is } = breach;
      const named = JSON.stringify(other.labels);
      return [`${self.namespace} ${self.workload} ${is} ${port.protocol} ${port.port} ${other.namespace} ${named}`];
    };
    t.test(`${deployment}: each pod opens and accepts what its tier has to, and nothing else`, (t) => {
      const pods = [...tiers, ...tiers.map(strangerBeside)];
      t.same(breachesOf(policies, pods), []);
      t.end();
    });
    t.test(`${deployment}: whatever is changed in a policy is found`, (t) => {
      for (const policy of policies) {
        const { name, namespace } = policy.metadata ?? {};
        const pods = tiers.filter((one) => one.namespace === namespace).flatMap((one) => [one, strangerBeside(one)]);
        const others = policies.filter((one) => one.metadata?.namespace === namespace && one !== policy);
        t.not(breachesOf(others, pods).length, 0, `${namespace} ${name}: left out`);
        const unseen = brokenPolicies(policy).filter(
          ([, broken]) => breachesOf([...others, broken], pods).length === 0,
        );
        t.same(
          unseen.map(([what]) => what),
          [],
          `${namespace} ${name}`,
        );
      }
      t.end();
    });
  }
  t.end();
});
