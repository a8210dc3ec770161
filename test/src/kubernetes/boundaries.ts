import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { Labels, Pods } from './pods.js';
import { machine, outsider } from './pods.js';
import { mayAccept, mayOpen, type Port } from './reachability.js';

/** One sort of neighbour, and the ports that a connection with it may have. */
export interface Way {
  readonly isWith: (other: Pods, self: Pods) => boolean;
  readonly ports: readonly Port[];
}

/** All that the pods of a workload may open and accept. What is not in it is closed. */
interface Boundary {
  readonly opens: readonly Way[];
  readonly accepts: readonly Way[];
}

export const tcp = (...ports: readonly number[]): readonly Port[] => ports.map((port) => ({ port, protocol: 'TCP' }));
const PORTS: readonly Port[] = [
  ...tcp(53, 80, 443, 1792, 5432, 6443, 8000, 8080, 8081, 8443, 9000, 9187, 9464),
  { port: 53, protocol: 'UDP' },
  { port: 443, protocol: 'UDP' },
];

const ofTier =
  (tier: string, workload: string): Way['isWith'] =>
  (other) =>
    other.namespaceLabels['sigv4-keyd/tier'] === tier && other.labels['app.kubernetes.io/name'] === workload;
const ofOwnRegion =
  (isWith: Way['isWith']): Way['isWith'] =>
  (other, self) =>
    isWith(other, self) && other.namespaceLabels['sigv4-keyd/region'] === self.namespaceLabels['sigv4-keyd/region'];
export const inNamespace =
  (namespace: string): Way['isWith'] =>
  (other) =>
    other.namespace === namespace;
const ofDatabase: Way['isWith'] = (other, self) =>
  other.namespace === self.namespace && other.labels['cnpg.io/cluster'] === 'database';
const isDns: Way['isWith'] = (other) => other.namespace === 'kube-system' && other.labels['k8s-app'] === 'kube-dns';

const NAMES: Way = { isWith: isDns, ports: [...tcp(53), { port: 53, protocol: 'UDP' }] };
const METRICS: Way = { isWith: inNamespace('monitoring'), ports: tcp(9464) };
const hop = (isWith: Way['isWith']): Way => ({ isWith, ports: tcp(8443) });

const CLOSED: Boundary = { opens: [], accepts: [] };

/** The boundaries between tiers, as docs/kubernetes.md says them, apart from the manifests. */
const BOUNDARIES: Readonly<Record<string, Boundary>> = {
  'master-keyd': {
    opens: [{ isWith: ofDatabase, ports: tcp(5432) }, hop(ofTier('signer', 'custody-signer')), NAMES],
    accepts: [
      hop(ofTier('region', 'region-keyd')),
      hop(ofTier('deputy', 'deputy-keyd')),
      hop(ofTier('operator', 'keydctl')),
      METRICS,
    ],
  },
  database: {
    opens: [{ isWith: ofDatabase, ports: tcp(5432, 8000) }, NAMES, { isWith: () => true, ports: tcp(443, 6443) }],
    accepts: [
      { isWith: (other, self) => other.namespace === self.namespace && isMaster(other), ports: tcp(5432) },
      { isWith: ofDatabase, ports: tcp(5432, 8000) },
      { isWith: inNamespace('cnpg-system'), ports: tcp(5432, 8000) },
    ],
  },
  'custody-signer': {
    opens: [],
    accepts: [hop(ofTier('master', 'master-keyd')), hop(ofTier('operator', 'keydctl')), METRICS],
  },
  'deputy-keyd': {
    opens: [hop(ofTier('master', 'master-keyd')), NAMES],
    accepts: [hop(ofTier('region', 'region-keyd')), METRICS],
  },
  'region-keyd': {
    opens: [hop(ofTier('master', 'master-keyd')), hop(ofTier('deputy', 'deputy-keyd')), NAMES],
    accepts: [hop(ofOwnRegion(ofTier('edge', 'edge-verifier'))), METRICS],
  },
  'edge-verifier': {
    opens: [hop(ofOwnRegion(ofTier('region', 'region-keyd'))), NAMES],
    accepts: [hop(() => true), METRICS],
  },
  keydctl: {
    opens: [hop(ofTier('master', 'master-keyd')), hop(ofTier('signer', 'custody-signer')), NAMES],
    accepts: [],
  },
};

function isMaster({ labels }: Pods): boolean {
  return labels['app.kubernetes.io/name'] === 'master-keyd';
}

/** Where a policy lets pass what it must not, or keeps out what has to pass. */
export interface Breach {
  readonly self: Pods;
  readonly other: Pods;
  readonly port: Port;
  readonly is: 'opens' | 'does not open' | 'accepts' | 'does not accept';
}

/**
 * `ownWaysOf`: what an installation lets a workload open beside its boundary.
 *
 * Asks each of `pods` for both directions by itself, so that one end makes up for nothing at the other one: with every
 * pod that there is, in every namespace that there is, whatever labels it has taken on.
 */
export function* breaches(
  policies: readonly INetworkPolicy[],
  pods: readonly Pods[],
  neighbours: readonly Pods[],
  ownWaysOf: (self: Pods) => readonly Way[],
): Generator<Breach, void> {
  for (const self of pods) {
    const own = policies.filter(({ metadata }) => metadata?.namespace === self.namespace);
    const { opens, accepts } = BOUNDARIES[self.workload] ?? CLOSED;
    const toOpen = [...opens, ...ownWaysOf(self)];
    for (const other of neighbours) {
      for (const port of PORTS) {
        const isWanted = ({ isWith, ports }: Way): boolean =>
          ports.some((one) => one.port === port.port && one.protocol === port.protocol) && isWith(other, self);
        const doesOpen = mayOpen(own, self, other, port);
        if (doesOpen !== toOpen.some(isWanted)) yield { self, other, port, is: doesOpen ? 'opens' : 'does not open' };
        const doesAccept = mayAccept(own, self, other, port);
        if (doesAccept !== accepts.some(isWanted))
          yield { self, other, port, is: doesAccept ? 'accepts' : 'does not accept' };
      }
    }
  }
}

export const HSM = 'hsm';
const OUTSIDE = ['kube-system', 'cnpg-system', 'monitoring', 'storage', 'backend', 'default'];

/** Every namespace, with pods in it that call themselves what any pod is called; and machines outside. */
export function neighboursOf(pods: readonly Pods[]): readonly Pods[] {
  const labels: readonly Labels[] = [...pods.map((one) => one.labels), { 'k8s-app': 'kube-dns' }, {}];
  const each = new Map(labels.map((one) => [JSON.stringify(one), one]));
  const namespaces = new Map(pods.map((one) => [one.namespace, one.namespaceLabels]));
  for (const namespace of OUTSIDE) namespaces.set(namespace, outsider(namespace).namespaceLabels);
  for (const tier of ['region', 'edge']) {
    const name = `keyd-${tier}-elsewhere`;
    namespaces.set(name, {
      'kubernetes.io/metadata.name': name,
      'sigv4-keyd/tier': tier,
      'sigv4-keyd/region': 'elsewhere',
    });
  }
  const everywhere = [...namespaces].flatMap(([namespace, namespaceLabels]) =>
    [...each.values()].map((one): Pods => ({ ...outsider(namespace, one), namespaceLabels })),
  );
  return [...everywhere, machine('client', '198.51.100.7'), machine(HSM, '192.0.2.10')];
}

/** A pod that somebody starts in the namespace of a tier. It gets nothing. */
export function strangerBeside({ namespace, namespaceLabels }: Pods): Pods {
  return { workload: 'stranger', namespace, namespaceLabels, labels: {}, names: ['stranger'] };
}
