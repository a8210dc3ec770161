import type { Authority } from './authority.js';
import { PkiError } from './pki-error.js';
import { readRequest, type CertificateRequest } from './read-request.js';
import type { SubjectNames } from './subject-names.js';

export interface RequestToSign {
  readonly authority: Authority;
  readonly csrPem: string;
  /** Whom the request is for: must be the id that it asks for, or its only one when it asks for none. */
  readonly spiffeId?: string;
  readonly days?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface SignedRequest extends Required<SubjectNames> {
  readonly certPem: string;
}

/**
 * Certifies the key of a request, after checking that its maker holds it. Of what it asks for, only names count.
 * @throws PkiError
 */
export function signRequest({ authority, csrPem, spiffeId, days, now }: RequestToSign): SignedRequest {
  const request = readRequest(csrPem);
  const { publicKey, dnsNames, ipAddresses } = request;
  const names = { spiffeId: identityOf(request, spiffeId), dnsNames, ipAddresses };
  const certPem = authority.certify({ ...names, publicKey, now, ...(days === undefined ? {} : { days }) });
  return { certPem, ...names };
}

function identityOf({ uris }: CertificateRequest, given: string | undefined): string {
  const [uri, ...more] = uris;
  if (more.length > 0) {
    throw new PkiError('several-uri-sans', 'the request has several URI names: make it again with one SPIFFE id');
  }
  const spiffeId = given ?? uri;
  if (spiffeId === undefined) {
    throw new PkiError('no-spiffe-id', 'the request has no SPIFFE id: make it again with one, or say whom it is for');
  }
  if (uri === undefined || uri === spiffeId) return spiffeId;
  const message = `the request is for ${JSON.stringify(uri.slice(0, 200))}, not for ${spiffeId}: ask its sender`;
  throw new PkiError('identity-mismatch', message);
}
