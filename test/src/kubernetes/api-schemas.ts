import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { Service } from 'kubernetes-models/v1/Service';
import { ClusterIssuer } from '@kubernetes-models/cert-manager/cert-manager.io/v1/ClusterIssuer';
import { CertificateRequestPolicy } from '@kubernetes-models/cert-manager/policy.cert-manager.io/v1alpha1';
import { Cluster } from '@kubernetes-models/cloudnative-pg/postgresql.cnpg.io/v1/Cluster';
import { ScheduledBackup } from '@kubernetes-models/cloudnative-pg/postgresql.cnpg.io/v1/ScheduledBackup';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor';
import { z } from 'zod';
import type { Resource } from './manifests.js';
import { unreadFields } from './unread-fields.js';

/** SPIRE's own description of it (clusterspiffeid-crd.md of spire-controller-manager): no package has its schema. */
const labelSelector = z.strictObject({ matchLabels: z.record(z.string(), z.string()) });
const clusterSpiffeId = z.strictObject({
  apiVersion: z.literal('spire.spiffe.io/v1alpha1'),
  kind: z.literal('ClusterSPIFFEID'),
  metadata: z.strictObject({ name: z.string() }),
  spec: z.strictObject({
    spiffeIDTemplate: z.string(),
    podSelector: labelSelector.optional(),
    namespaceSelector: labelSelector.optional(),
    ttl: z.string().optional(),
  }),
});

interface Model {
  readonly apiVersion: string;
  readonly kind: string;
  /** Checks its `this` against the schema that the API, or the operator, publishes. Throws what is wrong. */
  readonly prototype: { validate(this: object): void };
}

const MODELS: readonly Model[] = [
  CertificateRequestPolicy,
  Cluster,
  ClusterIssuer,
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Job,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  PodMonitor,
  PrometheusRule,
  Role,
  RoleBinding,
  ScheduledBackup,
  Service,
  ServiceAccount,
  StatefulSet,
];

/** What an API server would refuse of a resource, or drop without a word. */
export function schemaProblems(resource: Resource): readonly string[] {
  const validate = validatorOf(resource);
  if (!validate) return [`${resource.apiVersion} ${resource.kind}: no schema is known`];
  try {
    return unreadFields(resource, validate).map((path) => `${path}: no such field`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function validatorOf({ apiVersion, kind }: Resource): ((value: object) => unknown) | undefined {
  if (kind === 'ClusterSPIFFEID') return (value) => clusterSpiffeId.parse(value);
  const model = MODELS.find((one) => one.apiVersion === apiVersion && one.kind === kind);
  return model && ((value) => model.prototype.validate.call(value));
}
