import { isIP } from 'node:net';
import { parseSpiffeId, type SpiffeId } from '@sigv4-keyd/fastify-mtls';
import { PkiError } from './pki-error.js';

/** Everything that a certificate says of its holder. */
export interface SubjectNames {
  readonly spiffeId: string;
  /** Host names that clients dial; servers only. */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** @throws PkiError when a name is not one, or is of another trust domain */
export function checkNames(names: SubjectNames, trustDomain: string): SpiffeId {
  const id = checkSpiffeId(names.spiffeId);
  if (id.trustDomain !== trustDomain) {
    const message = `${id.uri} is not of ${trustDomain}: issue it from the authority of ${id.trustDomain}`;
    throw new PkiError('wrong-trust-domain', message);
  }
  checkHosts(names);
  return id;
}

/** @throws PkiError */
export function checkSpiffeId(text: string): SpiffeId {
  const id = parseSpiffeId(text);
  if (id !== undefined) return id;
  const message = `${JSON.stringify(text.slice(0, 200))} is no SPIFFE id: write spiffe://TRUST-DOMAIN/ROLE/...`;
  throw new PkiError('malformed-spiffe-id', message);
}

/** @throws PkiError */
export function checkHosts({ dnsNames = [], ipAddresses = [] }: Omit<SubjectNames, 'spiffeId'>): void {
  for (const name of dnsNames) {
    if (!DNS_NAME.test(name) || isIP(name) !== 0) throw malformedHost(name, 'DNS name', 'a.example.net');
  }
  for (const address of ipAddresses) {
    if (isIP(address) === 0 || address.includes('%')) throw malformedHost(address, 'IP address', '10.0.0.1 or fd00::1');
  }
}

function malformedHost(text: string, kind: string, example: string): PkiError {
  const message = `${JSON.stringify(text.slice(0, 200))} is no ${kind}: write one such as ${example}`;
  return new PkiError('malformed-host-name', message);
}
