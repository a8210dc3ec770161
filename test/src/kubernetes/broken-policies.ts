import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';

/** A policy with one thing in it changed, and what that was. */
export type Broken = readonly [what: string, policy: INetworkPolicy];

/** Every way of changing one label, port or address of a policy, and of leaving out one part of it. */
export function brokenPolicies(policy: INetworkPolicy): readonly Broken[] {
  return changed(policy.spec, '').map(([what, spec]) => [
    what,
    { ...policy, spec: spec as NonNullable<INetworkPolicy['spec']> },
  ]);
}

function changed(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value)) return changedList(value, path);
  if (typeof value === 'object' && value !== null) return changedFields(value, path);
  if (typeof value === 'number') return [[`${path} changed`, value + 1]];
  if (value === 'TCP' || value === 'UDP') return [[`${path} changed`, value === 'TCP' ? 'UDP' : 'TCP']];
  if (path.endsWith('/cidr')) return [[`${path} changed`, '203.0.113.0/24']];
  return path.includes('/matchLabels/') ? [[`${path} changed`, 'another']] : [];
}

function changedList(list: readonly unknown[], path: string): readonly (readonly [string, unknown])[] {
  return list.flatMap((one, index) => [
    [`${path}/${index} left out`, list.toSpliced(index, 1)] as const,
    ...changed(one, `${path}/${index}`).map(([what, other]) => [what, list.with(index, other)] as const),
  ]);
}

function changedFields(fields: object, path: string): readonly (readonly [string, unknown])[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const others = Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name));
    const inner = changed(value, `${path}/${name}`).map(
      ([what, other]) => [what, { ...fields, [name]: other }] as const,
    );
    return path.endsWith('/matchLabels') ? [[`${path}/${name} left out`, others] as const, ...inner] : inner;
  });
}
