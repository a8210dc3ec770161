import { X509Certificate, type KeyObject } from 'node:crypto';
import { certificateValidity, certificatesInPem, isTrustDomain, subjectAltNames } from '@sigv4-keyd/fastify-mtls';
import { keyIdentifierOf, leafExtensions, SUBJECT_KEY_IDENTIFIER } from './certificate-extensions.js';
import { bytesOf, membersOf, oidOf, partsOf, readDer, sequence, type Asn1 } from './der.js';
import { issue, type CertificateToIssue, type IssuedFiles } from './issue.js';
import { checkPublicKey } from './keys.js';
import { lifetimeFrom, within } from './lifetime.js';
import { PkiError } from './pki-error.js';
import { signCertificate } from './sign-certificate.js';
import { checkNames, type SubjectNames } from './subject-names.js';

export const LEAF_DAYS = 90;

export interface Certification extends SubjectNames {
  readonly publicKey: KeyObject;
  /** How long it is good for; never longer than the authority itself. */
  readonly days?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const TRUST_DOMAIN_URI = /^spiffe:\/\/([^/]+)$/;
const SUBJECT_AT = 5;

/** An authority of one trust domain: its certificate, and the key that only it uses. */
export class Authority {
  readonly certificate: X509Certificate;
  readonly trustDomain: string;
  readonly #key: KeyObject;
  readonly #subject: Asn1;

  /** @throws PkiError when the certificate is not an authority's of a trust domain, or the key is another's */
  constructor(certPem: string, key: KeyObject, origin: string) {
    this.certificate = onlyCertificate(certPem, origin);
    this.trustDomain = trustDomainOf(this.certificate, origin);
    if (!this.certificate.checkPrivateKey(key)) {
      throw new PkiError(
        'key-mismatch',
        `${origin}: the key is not the certificate's: restore both from the same backup`,
      );
    }
    if (key.asymmetricKeyType !== 'ec') {
      throw new PkiError(
        'unsupported-key',
        `${origin}: an authority signs with an elliptic-curve key: create a new one`,
      );
    }
    this.#key = key;
    this.#subject = subjectOf(this.certificate);
  }

  get certPem(): string {
    return this.certificate.toString();
  }

  get notAfter(): Date {
    return certificateValidity(this.certificate).notAfter;
  }

  /**
   * A leaf certificate (PEM) for the holder of the public key. Whether they are who they claim, the caller has settled.
   * @throws PkiError
   */
  certify({ publicKey, days = LEAF_DAYS, now, ...names }: Certification): string {
    checkNames(names, this.trustDomain);
    checkPublicKey(publicKey);
    const own = certificateValidity(this.certificate);
    if (own.notAfter.getTime() <= now) {
      const message = `the authority of ${this.trustDomain} ended at ${own.notAfter.toISOString()}: create a new one`;
      throw new PkiError('authority-expired', message);
    }
    const extensions = leafExtensions(names, publicKey, ownKeyIdentifier(this.certificate));
    const lifetime = within(lifetimeFrom(now, days), own);
    const contents = { issuer: this.#subject, subject: sequence(), publicKey, extensions, ...lifetime };
    return signCertificate(contents, this.#key);
  }

  /** See `issue`. */
  issue(wanted: Omit<CertificateToIssue, 'authority'>): Promise<IssuedFiles> {
    return issue({ ...wanted, authority: this });
  }
}

// A leaf names its issuer's key as the issuer does itself; an authority made elsewhere may do so in another way.
function ownKeyIdentifier(certificate: X509Certificate): Buffer {
  const [tbsCertificate] = partsOf(readDer(certificate.raw));
  const [extensions] = membersOf(partsOf(tbsCertificate).at(-1));
  const own = partsOf(extensions).find((extension) => oidOf(partsOf(extension)[0]) === SUBJECT_KEY_IDENTIFIER);
  return own === undefined ? keyIdentifierOf(certificate.publicKey) : bytesOf(readDer(bytesOf(partsOf(own).at(-1))));
}

function onlyCertificate(pem: string, origin: string): X509Certificate {
  try {
    const [certificate, another] = certificatesInPem(pem);
    if (certificate !== undefined && another === undefined) return certificate;
  } catch (cause) {
    throw new PkiError('malformed', `${origin}: the authority's certificate cannot be read: restore it`, { cause });
  }
  throw new PkiError('malformed', `${origin}: expected the one certificate of the authority, and found several`);
}

function trustDomainOf(certificate: X509Certificate, origin: string): string {
  const [uri = '', another] = subjectAltNames(certificate)?.uris ?? [];
  const trustDomain = TRUST_DOMAIN_URI.exec(uri)?.[1] ?? '';
  if (certificate.ca && another === undefined && isTrustDomain(trustDomain)) return trustDomain;
  const message = `${origin}: not the certificate of an authority with the URI name spiffe://TRUST-DOMAIN: create one`;
  throw new PkiError('not-an-authority', message);
}

// Issuer and subject must be the same bytes, so they are copied and not built again.
function subjectOf(certificate: X509Certificate): Asn1 {
  const [tbsCertificate] = partsOf(readDer(certificate.raw));
  const subject = partsOf(tbsCertificate)[SUBJECT_AT];
  if (subject === undefined) throw new PkiError('malformed', "the authority's certificate has no subject");
  return subject;
}
