import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { certificateIdentity, certificateValidity, type IdentityProblem } from './certificate-identity.js';
import { certificatesInPem } from './certificates-in-pem.js';
import { CredentialsError } from './credentials-error.js';

/** Paths of PEM files. `cert` may hold a chain, leaf first; `ca` several roots, while one authority takes over. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** What one end of a connection shows and trusts, checked to fit together. The buffers are PEM. */
export interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  readonly spiffeId: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * Reads and checks the three files. An expired certificate is readable: whether it still serves is for its reader to
 * say (an edge goes on verifying with the keys that it holds).
 * @throws CredentialsError
 */
export async function readCredentials(files: TlsFiles): Promise<Credentials> {
  const [cert, key, ca] = await Promise.all([readPem(files.cert), readPem(files.key), readPem(files.ca)]);
  const chain = certificatesOf(cert, files.cert);
  const [leaf] = chain;
  if (leaf === undefined) throw malformed(files.cert, 'it holds no certificate');
  checkKey(leaf, privateKeyOf(key, files.key), files);
  checkChain(chain, files.cert);
  for (const root of certificatesOf(ca, files.ca)) checkRoot(root, files.ca);
  const spiffeId = spiffeIdOf(leaf, files.cert);
  checkSecureContext({ cert, key, ca }, files);
  return { cert, key, ca, spiffeId, ...certificateValidity(leaf) };
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const message = `${file} cannot be read: check that it is there and that this user may read it`;
    throw new CredentialsError('unreadable', message, { cause });
  }
}

function certificatesOf(pem: Buffer, file: string): readonly X509Certificate[] {
  try {
    return certificatesInPem(pem.toString('latin1'));
  } catch (cause) {
    throw malformed(file, cause instanceof Error ? cause.message : 'it is not PEM', cause);
  }
}

function privateKeyOf(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out on purpose: what a parser says of a key may quote the key.
    throw malformed(file, 'it holds no private key that can be read without a passphrase');
  }
}

function checkKey(leaf: X509Certificate, key: KeyObject, files: TlsFiles): void {
  if (leaf.checkPrivateKey(key)) return;
  const message = `${files.key} is not the key of ${files.cert}: install both from the same issuance`;
  throw new CredentialsError('key-mismatch', message);
}

function checkChain(chain: readonly X509Certificate[], file: string): void {
  for (const [position, certificate] of chain.entries()) {
    const issuer = chain[position + 1];
    if (issuer === undefined || (certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))) continue;
    const message = `${file}: certificate ${position + 1} was not issued by the next: put the leaf first, then its issuers`;
    throw new CredentialsError('broken-chain', message);
  }
}

function checkRoot(root: X509Certificate, file: string): void {
  if (root.ca) return;
  const message = `${file} holds a certificate that is not an authority's (${root.subject}): put authorities only into it`;
  throw new CredentialsError('not-an-authority', message);
}

const WHAT_TO_DO: Readonly<Record<IdentityProblem, string>> = {
  'no-spiffe-id': 'has no URI name: issue one with spiffe://TRUST-DOMAIN/ROLE/... as its only URI name',
  'several-uri-sans': 'has several URI names: issue one with a single SPIFFE id',
  'malformed-spiffe-id': 'has a URI name that is not a SPIFFE id: issue one with spiffe://TRUST-DOMAIN/ROLE/...',
  'authority-as-peer': "is an authority's: issue a leaf certificate from it and use that",
};

function spiffeIdOf(leaf: X509Certificate, file: string): string {
  const identity = certificateIdentity(leaf);
  if (identity.ok) return identity.id.uri;
  throw new CredentialsError(identity.problem, `${file} ${WHAT_TO_DO[identity.problem]} (it has ${identity.came})`);
}

// The last word is OpenSSL's (keys too small, digests too weak): heard here, so that installing them cannot fail later.
function checkSecureContext(pem: Pick<Credentials, 'cert' | 'key' | 'ca'>, files: TlsFiles): void {
  try {
    createSecureContext(pem);
  } catch (cause) {
    throw malformed(files.cert, 'OpenSSL does not take it for TLS', cause);
  }
}

function malformed(file: string, why: string, cause?: unknown): CredentialsError {
  return new CredentialsError('malformed', `${file} cannot be used, ${why}: install it again, whole`, { cause });
}
