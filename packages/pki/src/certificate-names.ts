import type { X509Certificate } from 'node:crypto';
import {
  certificateIdentity,
  certificatesInPem,
  subjectAltNames,
  type IdentityProblem,
} from '@sigv4-keyd/fastify-mtls';
import { PkiError, type PkiErrorCode } from './pki-error.js';
import type { SubjectNames } from './subject-names.js';

const CODES: Readonly<Record<IdentityProblem, PkiErrorCode>> = {
  'no-spiffe-id': 'no-spiffe-id',
  'several-uri-sans': 'several-uri-sans',
  'malformed-spiffe-id': 'malformed-spiffe-id',
  'authority-as-peer': 'no-spiffe-id',
};

/** @throws PkiError when the text does not begin with a certificate */
export function leafOf(pem: string, file: string): X509Certificate {
  try {
    const [leaf] = certificatesInPem(pem);
    if (leaf !== undefined) return leaf;
  } catch (cause) {
    throw new PkiError('malformed', `${file} is no certificate: copy it again, whole`, { cause });
  }
  throw new PkiError('malformed', `${file} holds no certificate`);
}

/** @throws PkiError when the certificate has no single SPIFFE id */
export function namesOf(certificate: X509Certificate, file: string): SubjectNames {
  const identity = certificateIdentity(certificate);
  if (!identity.ok) {
    const message = `${file}: expected exactly one SPIFFE id, found ${identity.came}: issue a new certificate`;
    throw new PkiError(CODES[identity.problem], message);
  }
  const { dnsNames = [], ipAddresses = [] } = subjectAltNames(certificate) ?? {};
  return { spiffeId: identity.id.uri, dnsNames, ipAddresses };
}
