import { isRegionName, isServiceName } from '@sigv4-keyd/sigv4-core';

/**
 * Who a peer is, read from its certificate alone: `spiffe://TRUST-DOMAIN/ROLE/...`. The certificate is the scope: a
 * region's and an edge's region and service come from here and from nowhere else.
 */
export type Identity = MasterIdentity | RegionIdentity | EdgeIdentity | OperatorIdentity;

export interface MasterIdentity {
  readonly role: 'master';
  readonly trustDomain: string;
  readonly name: string;
}
export interface RegionIdentity {
  readonly role: 'region';
  readonly trustDomain: string;
  readonly region: string;
  readonly name: string;
}
export interface EdgeIdentity {
  readonly role: 'edge';
  readonly trustDomain: string;
  readonly region: string;
  readonly service: string;
  readonly name: string;
}
export interface OperatorIdentity {
  readonly role: 'operator';
  readonly trustDomain: string;
  readonly name: string;
}

export type Role = Identity['role'];

/** Narrows an identity to the kind that bears `role`. */
export function hasRole<R extends Role>(identity: Identity, role: R): identity is Extract<Identity, { role: R }> {
  return identity.role === role;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What a SPIFFE id says once the TLS layer has parsed it strictly. */
export interface SpiffeIdParts {
  readonly trustDomain: string;
  readonly segments: readonly string[];
}

/** The identity that a SPIFFE id stands for, or undefined: an unknown role or a missing or surplus part is refused. */
export function identityOf({ trustDomain, segments }: SpiffeIdParts): Identity | undefined {
  const [role, first, second, third] = segments;
  switch (role) {
    case 'master':
    case 'operator':
      return segments.length === 2 && isName(first) ? { role, trustDomain, name: first } : undefined;
    case 'region':
      return segments.length === 3 && isScopePart(first, isRegionName) && isName(second)
        ? { role, trustDomain, region: first, name: second }
        : undefined;
    case 'edge':
      return segments.length === 4 &&
        isScopePart(first, isRegionName) &&
        isScopePart(second, isServiceName) &&
        isName(third)
        ? { role, trustDomain, region: first, service: second, name: third }
        : undefined;
    case undefined:
    default:
      return undefined;
  }
}

/** The SPIFFE id of an identity, as it stands in its certificate's one URI SAN. */
export function spiffeIdOf(identity: Identity): string {
  const base = `spiffe://${identity.trustDomain}/${identity.role}`;
  switch (identity.role) {
    case 'master':
    case 'operator':
      return `${base}/${identity.name}`;
    case 'region':
      return `${base}/${identity.region}/${identity.name}`;
    case 'edge':
      return `${base}/${identity.region}/${identity.service}/${identity.name}`;
  }
}

function isName(text: string | undefined): text is string {
  return text !== undefined && NAME.test(text);
}

function isScopePart(text: string | undefined, isPart: (part: string) => boolean): text is string {
  return text !== undefined && isPart(text);
}
