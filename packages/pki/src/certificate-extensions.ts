import { createHash, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { bitsOf, octetString, partsOf, readDer, writeDer, type Asn1 } from './der.js';
import type { SubjectNames } from './subject-names.js';

const URI = 6;
const DNS = 2;
const IP = 7;
export const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';

/** X509-SVID, section 4: an authority has the trust domain itself as its URI name, and may sign. */
export function authorityExtensions(trustDomain: string, publicKey: KeyObject): Asn1 {
  return extensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectAltName', altNames: [{ type: URI, value: `spiffe://${trustDomain}` }] },
    subjectKeyIdentifier(publicKey),
  ]);
}

/** A leaf is client and server alike: every tier but the outermost is both. */
export function leafExtensions(names: SubjectNames, publicKey: KeyObject, authorityKeyIdentifier: Buffer): Asn1 {
  return extensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
    subjectAltName(names),
    subjectKeyIdentifier(publicKey),
    { name: 'authorityKeyIdentifier', keyIdentifier: authorityKeyIdentifier.toString('latin1') },
  ]);
}

/** What a request asks for: its names; the rest is the issuer's to say. */
export function requestedExtensions(names: SubjectNames): Asn1 {
  return extensions([subjectAltName(names)]);
}

/** RFC 5280, 4.2.1.2, method 1. SHA-1 serves as a short name here: nothing is authenticated by it. */
export function keyIdentifierOf(publicKey: KeyObject): Buffer {
  const [, bits] = partsOf(readDer(publicKey.export({ type: 'spki', format: 'der' })));
  return createHash('sha1').update(bitsOf(bits)).digest();
}

// Critical, as RFC 5280 4.1.2.6 asks when the subject is empty; it is, so that an identity is in one place only.
function subjectAltName({ spiffeId, dnsNames = [], ipAddresses = [] }: SubjectNames): object {
  const altNames = [
    { type: URI, value: spiffeId },
    ...dnsNames.map((value) => ({ type: DNS, value })),
    ...ipAddresses.map((ip) => ({ type: IP, ip })),
  ];
  return { name: 'subjectAltName', altNames, critical: true };
}

function subjectKeyIdentifier(publicKey: KeyObject): object {
  return { id: SUBJECT_KEY_IDENTIFIER, value: writeDer(octetString(keyIdentifierOf(publicKey))).toString('latin1') };
}

// `[3] EXPLICIT Extensions`, as it stands in a certificate. node-forge fills its own objects in, so each gets new ones.
function extensions(described: readonly object[]): Asn1 {
  const certificate = forge.pki.createCertificate();
  certificate.setExtensions([...described]);
  return forge.pki.certificateExtensionsToAsn1(certificate.extensions);
}
