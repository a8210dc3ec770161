import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { INetworkPolicyPeer } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPeer';
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort';
import type { Labels, Pods } from './pods.js';

interface Rule {
  readonly peers: readonly INetworkPolicyPeer[] | undefined;
  readonly ports: readonly INetworkPolicyPort[] | undefined;
}

/**
 * Whether a connection over TCP may be made, as the API describes it: what no policy selects is open; what one selects
 * is open only to what some rule names. Both ends have to agree.
 */
export function isReachable(policies: readonly INetworkPolicy[], from: Pods, to: Pods, port: number): boolean {
  return (
    isAllowed(policies, 'Egress', from, (rule, namespace) => names(rule, namespace, to, port)) &&
    isAllowed(policies, 'Ingress', to, (rule, namespace) => names(rule, namespace, from, port))
  );
}

function isAllowed(
  policies: readonly INetworkPolicy[],
  direction: 'Ingress' | 'Egress',
  pods: Pods,
  isNamed: (rule: Rule, namespace: string) => boolean,
): boolean {
  const selecting = policies.filter(
    ({ metadata, spec }) =>
      metadata?.namespace === pods.namespace &&
      spec?.policyTypes?.includes(direction) &&
      selects(spec.podSelector, pods.labels),
  );
  if (selecting.length === 0) return true;
  return selecting.some(({ spec }) => {
    const rules = (direction === 'Egress' ? spec?.egress : spec?.ingress) ?? [];
    return rules.some((rule) => isNamed({ peers: peersOf(rule), ports: rule.ports }, pods.namespace));
  });
}

function peersOf(rule: {
  readonly from?: readonly INetworkPolicyPeer[];
  readonly to?: readonly INetworkPolicyPeer[];
}): readonly INetworkPolicyPeer[] | undefined {
  return rule.from ?? rule.to;
}

function names({ peers, ports }: Rule, namespace: string, other: Pods, port: number): boolean {
  const hasPort = ports?.some((one) => isPort(one, port)) ?? true;
  const hasPeer = peers?.some((peer) => isPeer(peer, namespace, other)) ?? true;
  return hasPort && hasPeer;
}

function isPort({ port, endPort, protocol }: INetworkPolicyPort, wanted: number): boolean {
  if (typeof port === 'string' || endPort !== undefined) throw new Error('only plain port numbers are understood here');
  return (protocol ?? 'TCP') === 'TCP' && (port === undefined || port === wanted);
}

/** A peer without namespaceSelector is of the policy's own namespace. Addresses may be anybody's. */
function isPeer(
  { ipBlock, namespaceSelector, podSelector }: INetworkPolicyPeer,
  namespace: string,
  other: Pods,
): boolean {
  if (ipBlock) return true;
  const isInNamespace = namespaceSelector
    ? selects(namespaceSelector, other.namespaceLabels)
    : other.namespace === namespace;
  return isInNamespace && selects(podSelector, other.labels);
}

/** Whether a selector by labels takes it. */
export function selects(
  selector: { readonly matchLabels?: Labels; readonly matchExpressions?: unknown } | undefined,
  labels: Labels,
): boolean {
  if (selector?.matchExpressions !== undefined) throw new Error('only matchLabels is understood here');
  return Object.entries(selector?.matchLabels ?? {}).every(([label, value]) => labels[label] === value);
}
