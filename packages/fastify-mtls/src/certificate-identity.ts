import type { X509Certificate } from 'node:crypto';
import { parseSpiffeId, type SpiffeId } from './spiffe-id.js';
import { subjectAltNames } from './subject-alt-names.js';

export type IdentityProblem = 'no-spiffe-id' | 'several-uri-sans' | 'malformed-spiffe-id' | 'authority-as-peer';

export type CertificateIdentity =
  | { readonly ok: true; readonly id: SpiffeId }
  | { readonly ok: false; readonly problem: IdentityProblem; readonly came: string };

export interface CertificateValidity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const LONGEST_QUOTATION = 200;

/**
 * The one identity of a certificate (X509-SVID, sections 2 and 5.2): exactly one URI name, and a leaf. A certificate
 * with two would let each end choose the one it likes. Says nothing about who signed it: that is the chain's part.
 */
export function certificateIdentity(certificate: X509Certificate): CertificateIdentity {
  if (certificate.ca) return { ok: false, problem: 'authority-as-peer', came: 'a certificate of an authority' };
  const names = subjectAltNames(certificate);
  if (names === undefined) return { ok: false, problem: 'malformed-spiffe-id', came: 'unreadable alternative names' };
  const [uri, ...more] = names.uris;
  if (uri === undefined) {
    return { ok: false, problem: 'no-spiffe-id', came: describeNames([...names.dnsNames, ...names.ipAddresses]) };
  }
  if (more.length > 0) return { ok: false, problem: 'several-uri-sans', came: describeNames(names.uris) };
  const id = parseSpiffeId(uri);
  if (id === undefined) return { ok: false, problem: 'malformed-spiffe-id', came: describeNames([uri]) };
  return { ok: true, id };
}

/** The instants of a certificate; Node 20 has them as text only. */
export function certificateValidity(certificate: X509Certificate): CertificateValidity {
  return { notBefore: new Date(certificate.validFrom), notAfter: new Date(certificate.validTo) };
}

// What a stranger put into a certificate ends up in logs: quoted, and bounded.
function describeNames(names: readonly string[]): string {
  return names.length === 0 ? 'no names' : JSON.stringify(names).slice(0, LONGEST_QUOTATION);
}
