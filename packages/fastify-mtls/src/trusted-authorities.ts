import type { X509Certificate } from 'node:crypto';
import { certificatesInPem } from './certificates-in-pem.js';

const LONGEST_CHAIN = 8;

/**
 * The authorities in force. A handshake judges a chain by those of its moment; a connection lives on when one of them
 * is withdrawn, so that its chain has to be judged again, by those of now.
 */
export class TrustedAuthorities {
  readonly #authorities: readonly X509Certificate[];

  /** `ca` is PEM. */
  constructor(ca: Buffer) {
    this.#authorities = certificatesInPem(ca.toString('latin1'));
  }

  /** Whether the leaf, or one of the issuers that its holder sent along, was issued by one of them. */
  vouchFor(leaf: X509Certificate): boolean {
    let certificate = leaf;
    for (let depth = 0; depth < LONGEST_CHAIN; depth += 1) {
      const issued = certificate;
      if (this.#authorities.some((authority) => isIssuedBy(issued, authority))) return true;
      const issuer = certificate.issuerCertificate;
      if (issuer === undefined || !issuer.ca || !isIssuedBy(certificate, issuer)) return false;
      certificate = issuer;
    }
    return false;
  }
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
