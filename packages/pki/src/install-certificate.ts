import { leafOf, namesOf } from './certificate-names.js';
import { leafFiles } from './folder-layout.js';
import type { IssuedFiles } from './issue.js';
import { readPrivateKey } from './keys.js';
import { PkiError } from './pki-error.js';
import { placeFiles } from './place-files.js';
import { replacePair } from './replace-pair.js';

export interface CertificateToInstall {
  readonly folder: string;
  readonly name?: string;
  readonly certPem: string;
  /** The authorities to trust: the contents of ca.crt. */
  readonly caPem: string;
}

/**
 * Puts the answer to a request beside the key that it was made with.
 * @throws PkiError
 */
export async function installCertificate({ folder, name, certPem, caPem }: CertificateToInstall): Promise<IssuedFiles> {
  const files = leafFiles(folder, name);
  const leaf = leafOf(certPem, 'the certificate');
  namesOf(leaf, 'the certificate');
  const authority = leafOf(caPem, 'the authorities');
  if (!authority.ca) {
    throw new PkiError('not-an-authority', 'caPem begins with no authority: copy its ca.crt');
  }
  if (!leaf.checkPrivateKey(await readPrivateKey(files.key))) {
    throw new PkiError(
      'key-mismatch',
      `the certificate is not for ${files.key}: install it where its request was made`,
    );
  }
  await placeFiles([{ file: files.ca, contents: caPem, mode: 0o644 }], 'replacing');
  await replacePair(files, { cert: certPem });
  return files;
}
