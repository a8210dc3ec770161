import { BlockList } from 'node:net';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { INetworkPolicyPeer } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPeer';
import type { INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicyPort';
import type { Labels, Pods } from './pods.js';

interface Rule {
  readonly peers: readonly INetworkPolicyPeer[] | undefined;
  readonly ports: readonly INetworkPolicyPort[] | undefined;
}

/** A port as policies name it. */
export interface Port {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** Whether a connection may be made: both ends have to agree. */
export function isReachable(policies: readonly INetworkPolicy[], from: Pods, to: Pods, port: Port): boolean {
  return mayOpen(policies, from, to, port) && mayAccept(policies, to, from, port);
}

/** Whether the policies of `from` let it open a connection, whatever the other end says. */
export function mayOpen(policies: readonly INetworkPolicy[], from: Pods, to: Pods, port: Port): boolean {
  return isAllowed(policies, 'Egress', from, (rule, namespace) => names(rule, namespace, to, port));
}

/** Whether the policies of `to` let it accept a connection, whatever the other end says. */
export function mayAccept(policies: readonly INetworkPolicy[], to: Pods, from: Pods, port: Port): boolean {
  return isAllowed(policies, 'Ingress', to, (rule, namespace) => names(rule, namespace, from, port));
}

/** As the API describes it: what no policy selects is open; what one selects is open only to what some rule names. */
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

function names({ peers, ports }: Rule, namespace: string, other: Pods, port: Port): boolean {
  return (
    isAnyOf(ports, (one) => isPort(one, port)) && //
    isAnyOf(peers, (peer) => isPeer(peer, namespace, other))
  );
}

/** A list that is missing or empty is all that there is. */
function isAnyOf<Named>(named: readonly Named[] | undefined, isIt: (one: Named) => boolean): boolean {
  return !named?.length || named.some(isIt);
}

function isPort({ port, endPort, protocol }: INetworkPolicyPort, wanted: Port): boolean {
  if (typeof port === 'string' || endPort !== undefined) throw new Error('only plain port numbers are understood here');
  return (protocol ?? 'TCP') === wanted.protocol && (port === undefined || port === wanted.port);
}

/** A peer without namespaceSelector is of the policy's own namespace. A block of addresses is never one of pods. */
function isPeer(
  { ipBlock, namespaceSelector, podSelector }: INetworkPolicyPeer,
  namespace: string,
  other: Pods,
): boolean {
  if (ipBlock) return other.address !== undefined && isInBlock(ipBlock, other.address);
  if (other.address !== undefined) return false;
  const isInNamespace = namespaceSelector
    ? selects(namespaceSelector, other.namespaceLabels)
    : other.namespace === namespace;
  return isInNamespace && selects(podSelector, other.labels);
}

function isInBlock({ cidr, except }: { readonly cidr: string; readonly except?: unknown }, address: string): boolean {
  if (except !== undefined) throw new Error('only whole blocks of addresses are understood here');
  const [network = '', prefix] = cidr.split('/');
  const block = new BlockList();
  block.addSubnet(network, Number(prefix));
  return block.check(address);
}

/** Whether a selector by labels takes it. */
export function selects(
  selector: { readonly matchLabels?: Labels; readonly matchExpressions?: unknown } | undefined,
  labels: Labels,
): boolean {
  if (selector?.matchExpressions !== undefined) throw new Error('only matchLabels is understood here');
  return Object.entries(selector?.matchLabels ?? {}).every(([label, value]) => labels[label] === value);
}
