import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { IJob } from 'kubernetes-models/batch/v1/Job';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { INamespace } from 'kubernetes-models/v1/Namespace';
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import type { IService } from 'kubernetes-models/v1/Service';
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import type { ICertificateRequestPolicy } from '@kubernetes-models/cert-manager/policy.cert-manager.io/v1alpha1';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

export const FOLDER = 'deploy/kubernetes';

const resource = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** Any object of the Kubernetes API. */
export type Resource = z.infer<typeof resource>;

/** What the schemas have said yes to may be taken as what they describe. */
interface Kinds {
  readonly CertificateRequestPolicy: ICertificateRequestPolicy;
  readonly ConfigMap: IConfigMap;
  readonly Deployment: IDeployment;
  readonly HorizontalPodAutoscaler: IHorizontalPodAutoscaler;
  readonly Job: IJob;
  readonly Namespace: INamespace;
  readonly NetworkPolicy: INetworkPolicy;
  readonly PodDisruptionBudget: IPodDisruptionBudget;
  readonly PodMonitor: IPodMonitor;
  readonly Service: IService;
  readonly ServiceAccount: IServiceAccount;
  readonly StatefulSet: IStatefulSet;
}

export function ofKind<Kind extends keyof Kinds>(resources: readonly Resource[], kind: Kind): readonly Kinds[Kind][] {
  return resources.filter((one) => one.kind === kind) as unknown as readonly Kinds[Kind][];
}

/** The objects of a YAML text. Errors of the syntax, and names that occur twice, are errors here. */
export function parseResources(text: string): readonly Resource[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = [...document.errors, ...document.warnings];
    if (error) throw error;
    return document.contents === null ? [] : [resource.parse(document.toJS())];
  });
}

/** Every file with objects of the API, as it lies there: neither what Kustomize reads for itself, nor patches. */
export function manifestFiles(): readonly string[] {
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml') && !path.endsWith('kustomization.yaml'))
    .map((path) => join(FOLDER, path))
    .filter((path) => /^kind: /m.test(readFileSync(path, 'utf8')))
    .toSorted();
}

/** Why nothing can be rendered here; false where it can. */
export function kustomizeMissing(): string | false {
  const version = z.object({ kustomizeVersion: z.string().optional() });
  try {
    const answer = execFileSync('kubectl', ['version', '--client', '-o', 'json'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { kustomizeVersion = 'too old to tell' } = version.parse(JSON.parse(answer.toString()));
    if (/^v([5-9]|\d\d)\./.test(kustomizeVersion)) return false;
    return `KUBECTL HERE HAS KUSTOMIZE ${kustomizeVersion}, NOT 5: the Kubernetes manifests were not rendered`;
  } catch {
    return 'KUBECTL IS NOT INSTALLED HERE: the Kubernetes manifests were not rendered';
  }
}

/** What `kubectl apply -k FOLDER` would apply. Reads files alone: no cluster is asked. */
export function render(overlay: string): readonly Resource[] {
  return rendered(join(FOLDER, overlay));
}

/** Likewise, of an overlay that is made in `folder` for one tier. */
export function renderWith(folder: string, tier: string, components: readonly string[]): readonly Resource[] {
  const from = (path: string): string => relative(folder, join(FOLDER, path));
  const overlay = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [from(`tiers/${tier}`)],
    components: components.map((component) => from(`components/${component}`)),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(overlay));
  return rendered(folder);
}

function rendered(folder: string): readonly Resource[] {
  return parseResources(execFileSync('kubectl', ['kustomize', folder]).toString());
}
