import { randomBytes, sign, type KeyObject } from 'node:crypto';
import { bitString, integer, oid, readDer, sequence, tagZero, time, writeDer, type Asn1 } from './der.js';
import { pemOf } from './pem.js';

export interface CertificateContents {
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: Asn1;
}

/** RFC 5758: ECDSA with SHA-256, whose parameters are absent. */
export const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

const VERSION_3 = Buffer.of(2);
const SERIAL_RANDOM_BYTES = 16;

/** Assembles the certificate (RFC 5280, 4.1) and signs it with an elliptic-curve key. Returns PEM. */
export function signCertificate(contents: CertificateContents, signingKey: KeyObject): string {
  const tbsCertificate = sequence(
    tagZero(integer(VERSION_3)),
    integer(serialNumber()),
    sequence(oid(ECDSA_WITH_SHA256)),
    contents.issuer,
    sequence(time(contents.notBefore), time(contents.notAfter)),
    contents.subject,
    subjectPublicKeyInfo(contents.publicKey),
    contents.extensions,
  );
  return pemOf('CERTIFICATE', signed(tbsCertificate, signingKey));
}

/** The shape that certificates and requests share: the contents, the algorithm, the signature over the contents. */
export function signed(contents: Asn1, signingKey: KeyObject): Buffer {
  const signature = sign('sha256', writeDer(contents), signingKey);
  return writeDer(sequence(contents, sequence(oid(ECDSA_WITH_SHA256)), bitString(signature)));
}

export function subjectPublicKeyInfo(publicKey: KeyObject): Asn1 {
  return readDer(publicKey.export({ type: 'spki', format: 'der' }));
}

// 128 random bits behind a one: positive, never with a leading zero, well within the 20 octets of RFC 5280.
function serialNumber(): Buffer {
  return Buffer.concat([Buffer.of(1), randomBytes(SERIAL_RANDOM_BYTES)]);
}
