import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import type { Authority } from './authority.js';
import { leafFiles, readIfThere, refuseExisting } from './folder-layout.js';
import { newKeyPair, privateKeyPem } from './keys.js';
import { placeFiles } from './place-files.js';
import { checkNames, type SubjectNames } from './subject-names.js';
import { bundleWith } from './trust-bundle.js';

export interface CertificateToIssue extends SubjectNames {
  readonly authority: Authority;
  readonly folder: string;
  /** Of the files, without .crt and .key; 'tls' unless given. */
  readonly name?: string;
  readonly days?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The certificate, its key and the authorities: what `readCredentials` reads. */
export type IssuedFiles = TlsFiles;

/**
 * Makes a key and its certificate in the folder where they will be used, beside the authority's ca.crt. Nothing that is
 * there is overwritten (see `renew`); an existing ca.crt keeps its authorities and gains this one.
 * @throws PkiError
 */
export async function issue(wanted: CertificateToIssue): Promise<IssuedFiles> {
  const { authority, folder, name, days, now, ...names } = wanted;
  const files = leafFiles(folder, name);
  checkNames(names, authority.trustDomain);
  await refuseExisting(files.cert, files.key);
  const { privateKey, publicKey } = await newKeyPair();
  const certPem = authority.certify({ ...names, publicKey, now, ...(days === undefined ? {} : { days }) });
  await placeTrust(authority, files.ca);
  await placeFiles(
    [
      { file: files.key, contents: privateKeyPem(privateKey), mode: 0o600 },
      { file: files.cert, contents: certPem, mode: 0o644 },
    ],
    'new',
  );
  return files;
}

/** Adds the authority to a folder's ca.crt; writes nothing when it is there. */
export async function placeTrust(authority: Authority, file: string): Promise<void> {
  const existing = await readIfThere(file);
  const contents = bundleWith(existing, authority.certificate, file);
  if (contents !== existing) await placeFiles([{ file, contents, mode: 0o644 }], 'replacing');
}
