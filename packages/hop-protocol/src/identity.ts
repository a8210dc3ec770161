import { isRegionName, isServiceName, type Purpose } from '@sigv4-keyd/sigv4-core';

/**
 * Who a peer is, read from its certificate alone: `spiffe://TRUST-DOMAIN/ROLE/...`. The certificate is the scope: a
 * region's and an edge's region and service come from here and from nowhere else.
 */
export type Identity =
  MasterIdentity | DeputyIdentity | RegionIdentity | EdgeIdentity | OperatorIdentity | SignerIdentity;

export interface MasterIdentity {
  readonly role: 'master';
  readonly trustDomain: string;
  readonly name: string;
}
/** Holds kDate of the days that operators granted to it, for every region. It is no region, and has none. */
export interface DeputyIdentity {
  readonly role: 'deputy';
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
  /** Bound to it, the edge is given kSigning in place of kService. */
  readonly purpose?: Purpose;
  readonly name: string;
}
export interface OperatorIdentity {
  readonly role: 'operator';
  readonly trustDomain: string;
  readonly name: string;
}

/** Opens the seals of secrets for masters, and for nobody else. */
export interface SignerIdentity {
  readonly role: 'signer';
  readonly trustDomain: string;
  readonly name: string;
}

export type Role = Identity['role'];

/** Narrows an identity to the kind that bears `role`. */
export function hasRole<R extends Role>(identity: Identity, role: R): identity is Extract<Identity, { role: R }> {
  return identity.role === role;
}

/** What an edge can be bound to: a segment of its SPIFFE id, before its name. */
const PURPOSE: Purpose = 'aws4_request';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** What a SPIFFE id says once the TLS layer has parsed it strictly. */
export interface SpiffeIdParts {
  readonly trustDomain: string;
  readonly segments: readonly string[];
}

/** The identity that a SPIFFE id stands for, or undefined: an unknown role or a missing or surplus part is refused. */
export function identityOf({ trustDomain, segments }: SpiffeIdParts): Identity | undefined {
  const [role, first, second] = segments;
  switch (role) {
    case 'master':
    case 'deputy':
    case 'operator':
    case 'signer':
      return segments.length === 2 && isName(first) ? { role, trustDomain, name: first } : undefined;
    case 'region':
      return segments.length === 3 && isScopePart(first, isRegionName) && isName(second)
        ? { role, trustDomain, region: first, name: second }
        : undefined;
    case 'edge':
      return edgeOf(trustDomain, segments);
    case undefined:
    default:
      return undefined;
  }
}

/** REGION/SERVICE/NAME, or REGION/SERVICE/PURPOSE/NAME: the number of parts alone says which. */
function edgeOf(trustDomain: string, [, region, service, ...names]: readonly string[]): EdgeIdentity | undefined {
  const name = names.at(-1);
  if (!isScopePart(region, isRegionName) || !isScopePart(service, isServiceName) || !isName(name)) return undefined;
  const edge = { role: 'edge', trustDomain, region, service, name } as const;
  if (names.length === 1) return edge;
  return names.length === 2 && names[0] === PURPOSE ? { ...edge, purpose: PURPOSE } : undefined;
}

/** The one rung that an edge is given: that of its service, or of the purpose that it is bound to. */
export function rungOf({ purpose }: Pick<EdgeIdentity, 'purpose'>): 'kService' | 'kSigning' {
  return purpose === undefined ? 'kService' : 'kSigning';
}

/** The SPIFFE id of an identity, as it stands in its certificate's one URI SAN. */
export function spiffeIdOf(identity: Identity): string {
  const base = `spiffe://${identity.trustDomain}/${identity.role}`;
  switch (identity.role) {
    case 'master':
    case 'deputy':
    case 'operator':
    case 'signer':
      return `${base}/${identity.name}`;
    case 'region':
      return `${base}/${identity.region}/${identity.name}`;
    case 'edge':
      return [base, identity.region, identity.service, ...purposesOf(identity), identity.name].join('/');
  }
}

function purposesOf({ purpose }: EdgeIdentity): readonly Purpose[] {
  return purpose === undefined ? [] : [purpose];
}

function isName(text: string | undefined): text is string {
  return text !== undefined && NAME.test(text);
}

function isScopePart(text: string | undefined, isPart: (part: string) => boolean): text is string {
  return text !== undefined && isPart(text);
}
