import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import { ofKind, type Resource } from './manifests.js';

export type Labels = Readonly<Record<string, string>>;

/** What a workload makes pods of, and where. */
export interface Pods {
  readonly workload: string;
  readonly namespace: string;
  readonly namespaceLabels: Labels;
  readonly labels: Labels;
  /** Names of pods as the workload gives them. */
  readonly names: readonly string[];
  /** Absent where an operator makes the pods. */
  readonly spec?: IPodSpec;
  /** Of a machine that is no pod of the cluster. */
  readonly address?: string;
}

/** The pods that a rendering describes: those of its workloads, and those that CloudNativePG makes for a Cluster. */
export function podsOf(resources: readonly Resource[]): readonly Pods[] {
  const labelsOf = labelsOfNamespaces(resources);
  const workloads = [
    ...ofKind(resources, 'StatefulSet').map((set) => ({
      ...set,
      names: Array.from({ length: set.spec?.replicas ?? 1 }, (_, index) => `${set.metadata?.name}-${index}`),
    })),
    ...ofKind(resources, 'Deployment').map((one) => ({ ...one, names: [`${one.metadata?.name}-7d9c6bd7b4-x2x4z`] })),
    ...ofKind(resources, 'Job').map((one) => ({ ...one, names: [`${one.metadata?.name}-x2x4z`] })),
  ];
  const described = workloads.map(({ metadata, spec, names }): Pods => {
    const namespace = metadata?.namespace ?? '';
    const template = spec?.template;
    if (!template?.spec) throw new Error(`${metadata?.name} has no pods`);
    return {
      workload: metadata?.name ?? '',
      namespace,
      namespaceLabels: labelsOf(namespace),
      labels: template.metadata?.labels ?? {},
      names,
      spec: template.spec,
    };
  });
  const databases = resources
    .filter(({ apiVersion, kind }) => apiVersion === 'postgresql.cnpg.io/v1' && kind === 'Cluster')
    .map(({ metadata: { name, namespace = '' } }): Pods => {
      const labels = { 'cnpg.io/cluster': name };
      return { workload: name, namespace, namespaceLabels: labelsOf(namespace), labels, names: [`${name}-1`] };
    });
  return [...described, ...databases];
}

/** The container of a workload that bears its name: the others are beside it. */
export function serviceOf({ spec, workload }: Pods): IContainer {
  const container = spec?.containers.find(({ name }) => name === workload);
  if (!container) throw new Error(`${workload} has no container of its name`);
  return container;
}

/** A pod of somebody else's namespace, without policies of its own. */
export function outsider(namespace: string, labels: Labels = {}): Pods {
  const namespaceLabels = { 'kubernetes.io/metadata.name': namespace };
  return { workload: namespace, namespace, namespaceLabels, labels, names: [namespace] };
}

/** A machine outside of the cluster. */
export function machine(workload: string, address: string): Pods {
  return { workload, address, namespace: '', namespaceLabels: {}, labels: {}, names: [workload] };
}

function labelsOfNamespaces(resources: readonly Resource[]): (namespace: string) => Labels {
  const namespaces = new Map(ofKind(resources, 'Namespace').map(({ metadata }) => [metadata?.name, metadata?.labels]));
  return (namespace) => {
    if (!namespaces.has(namespace)) throw new Error(`there is no namespace ${namespace}`);
    return { ...namespaces.get(namespace), 'kubernetes.io/metadata.name': namespace };
  };
}
