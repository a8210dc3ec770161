import { createPublicKey, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { requestedExtensions } from './certificate-extensions.js';
import { integer, membersOf, oid, sequence, set, tagZero } from './der.js';
import { leafFiles, refuseExisting } from './folder-layout.js';
import { newKeyPair, privateKeyPem, readPrivateKey } from './keys.js';
import { pemOf } from './pem.js';
import { placeFiles } from './place-files.js';
import { signed, subjectPublicKeyInfo } from './sign-certificate.js';
import { checkHosts, checkSpiffeId, type SubjectNames } from './subject-names.js';

export interface RequestToCreate extends SubjectNames {
  readonly folder: string;
  readonly name?: string;
  /** 'existing' asks for a new certificate for the key that is in use; 'new' (unless given) makes one. */
  readonly key?: 'new' | 'existing';
}

export interface CreatedRequest {
  readonly csr: string;
  readonly key: string;
  readonly csrPem: string;
}

/** PKCS #9: the attribute of a request that holds the extensions it asks for. */
export const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

const VERSION_1 = Buffer.of(0);

/**
 * Makes the key where it will live, and a request (PKCS #10) that may travel: tls.key and tls.csr.
 * @throws PkiError
 */
export async function createRequest({ folder, name, key = 'new', ...names }: RequestToCreate): Promise<CreatedRequest> {
  const files = leafFiles(folder, name);
  const csr = join(folder, `${name ?? 'tls'}.csr`);
  checkSpiffeId(names.spiffeId);
  checkHosts(names);
  if (key === 'new') await refuseExisting(files.key);
  const privateKey = key === 'new' ? (await newKeyPair()).privateKey : await readPrivateKey(files.key);
  const csrPem = requestPem(names, privateKey);
  if (key === 'new') await placeFiles([{ file: files.key, contents: privateKeyPem(privateKey), mode: 0o600 }], 'new');
  await placeFiles([{ file: csr, contents: csrPem, mode: 0o644 }], 'replacing');
  return { csr, key: files.key, csrPem };
}

function requestPem(names: SubjectNames, privateKey: KeyObject): string {
  const [extensions = sequence()] = membersOf(requestedExtensions(names));
  const attribute = sequence(oid(EXTENSION_REQUEST), set(extensions));
  const emptySubject = sequence();
  const info = sequence(
    integer(VERSION_1),
    emptySubject,
    subjectPublicKeyInfo(createPublicKey(privateKey)),
    tagZero(attribute),
  );
  return pemOf('CERTIFICATE REQUEST', signed(info, privateKey));
}
