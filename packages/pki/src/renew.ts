import { createPublicKey, type X509Certificate } from 'node:crypto';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import type { Authority } from './authority.js';
import { leafOf, namesOf } from './certificate-names.js';
import { leafFiles, readText } from './folder-layout.js';
import { placeTrust, type IssuedFiles } from './issue.js';
import { newKeyPair, privateKeyPem, readPrivateKey, type KeyPair } from './keys.js';
import { PkiError } from './pki-error.js';
import { replacePair } from './replace-pair.js';

export interface CertificateToRenew {
  readonly authority: Authority;
  readonly folder: string;
  readonly name?: string;
  readonly days?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** A new key with each certificate unless told otherwise. */
  readonly newKey?: boolean;
}

/**
 * A new certificate for the identity and the names of the one in the folder, in its place, certificate and key at
 * once (see `replacePair`). The authority may be another than before (a roll-over): the folder then trusts both.
 * @throws PkiError
 */
export async function renew(wanted: CertificateToRenew): Promise<IssuedFiles> {
  const { authority, folder, name, days, now, newKey = true } = wanted;
  const files = leafFiles(folder, name);
  const old = leafOf(await readText(files.cert), files.cert);
  const names = namesOf(old, files.cert);
  const { privateKey, publicKey } = newKey ? await newKeyPair() : await existingKeyPair(old, files);
  const key = newKey ? { key: privateKeyPem(privateKey) } : {};
  const certPem = authority.certify({ ...names, publicKey, now, ...(days === undefined ? {} : { days }) });
  await placeTrust(authority, files.ca);
  await replacePair(files, { ...key, cert: certPem });
  return files;
}

async function existingKeyPair(certificate: X509Certificate, files: TlsFiles): Promise<KeyPair> {
  const privateKey = await readPrivateKey(files.key);
  if (certificate.checkPrivateKey(privateKey)) return { privateKey, publicKey: createPublicKey(privateKey) };
  throw new PkiError('key-mismatch', `${files.key} is not the key of ${files.cert}: renew with a new key`);
}
