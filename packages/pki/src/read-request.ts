import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import forge from 'node-forge';
import { EXTENSION_REQUEST } from './create-request.js';
import { bitsOf, bytesOf, membersOf, oidOf, partsOf, readDer, writeDer, type Asn1 } from './der.js';
import { checkPublicKey } from './keys.js';
import { derOfPem } from './pem.js';
import { PkiError } from './pki-error.js';

/** What a request (PKCS #10) asks for, by whoever holds the private key. */
export interface CertificateRequest {
  readonly publicKey: KeyObject;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const SUBJECT_ALT_NAME = '2.5.29.17';

// RFC 5758, RFC 8410, RFC 8017: the signatures whose digest is still sound. Ed25519 has its digest built in.
const DIGESTS: ReadonlyMap<string, string | null> = new Map([
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.3.101.112', null],
]);

/** @throws PkiError unless the request is whole, its key is one we certify, and its signature proves possession */
export function readRequest(csrPem: string): CertificateRequest {
  const der = derOfPem('CERTIFICATE REQUEST', csrPem);
  if (der === undefined) throw malformed('it is not one PEM block of a certificate request');
  const [info, algorithm, signature] = partsOf(reading(() => readDer(der)));
  const [, , publicKeyInfo, attributes] = partsOf(info);
  if (info === undefined || publicKeyInfo === undefined) throw malformed('parts of it are missing');
  const publicKey = reading(() => createPublicKey({ key: writeDer(publicKeyInfo), format: 'der', type: 'spki' }));
  checkPublicKey(publicKey);
  // readDer gave back nothing that encodes otherwise than it came: these are the bytes that were signed.
  checkPossession(
    writeDer(info),
    oidOf(partsOf(algorithm)[0]),
    reading(() => bitsOf(signature)),
    publicKey,
  );
  return { publicKey, ...requestedNames(attributes) };
}

function checkPossession(info: Buffer, algorithm: string, signature: Buffer, publicKey: KeyObject): void {
  const digest = DIGESTS.get(algorithm);
  if (digest === undefined) {
    const message = `the request is signed with ${algorithm}, which is not accepted: sign it with SHA-256`;
    throw new PkiError('unsupported-signature', message);
  }
  if (isProof(digest, info, publicKey, signature)) return;
  const message = 'the request is not signed by its own key: it was changed on its way, or made without the key';
  throw new PkiError('no-proof-of-possession', message);
}

// A signature of another algorithm than the key's makes OpenSSL throw; it proves as little as a wrong one.
function isProof(digest: string | null, info: Buffer, publicKey: KeyObject, signature: Buffer): boolean {
  try {
    return verify(digest, info, publicKey, signature);
  } catch {
    return false;
  }
}

function requestedNames(attributes: Asn1 | undefined): Omit<CertificateRequest, 'publicKey'> {
  const requests = membersOf(attributes).filter((attribute) => oidOf(partsOf(attribute)[0]) === EXTENSION_REQUEST);
  const [request, ...moreRequests] = requests;
  const [extensions, ...moreExtensions] = membersOf(partsOf(request)[1]);
  const named = partsOf(extensions).filter((extension) => oidOf(partsOf(extension)[0]) === SUBJECT_ALT_NAME);
  const [altNames, ...moreNames] = named;
  if (moreRequests.length + moreExtensions.length + moreNames.length > 0) throw malformed('it asks for names twice');
  // An extension is its id, whether it is critical (may be left out), and its value.
  const value = partsOf(altNames).at(-1);
  return value === undefined ? generalNames([]) : generalNames(partsOf(reading(() => readDer(bytesOf(value)))));
}

function generalNames(names: readonly Asn1[]): Omit<CertificateRequest, 'publicKey'> {
  const found = { uris: new Array<string>(), dnsNames: new Array<string>(), ipAddresses: new Array<string>() };
  for (const name of names) {
    const tag: number = name.type;
    const value = bytesOf(name);
    if (tag === 6) found.uris.push(value.toString('latin1'));
    else if (tag === 2) found.dnsNames.push(value.toString('latin1'));
    else if (tag === 7) found.ipAddresses.push(ipAddress(value));
    else throw new PkiError('unsupported-name', 'the request asks for a name that is no URI, DNS name or IP address');
  }
  return found;
}

function ipAddress(bytes: Buffer): string {
  const address = forge.util.bytesToIP(bytes.toString('latin1'));
  if (address === null) throw malformed('one of its IP addresses is none');
  return address;
}

function reading<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw malformed('it cannot be decoded', cause);
  }
}

function malformed(why: string, cause?: unknown): PkiError {
  return new PkiError('malformed', `the certificate request cannot be used, ${why}: make it again`, { cause });
}
