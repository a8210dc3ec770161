import type { X509Certificate } from 'node:crypto';
import { certificatesInPem } from '@sigv4-keyd/fastify-mtls';
import { readText } from './folder-layout.js';
import { PkiError } from './pki-error.js';
import { placeFiles } from './place-files.js';

export interface BundleToWrite {
  /** Files with certificates of authorities, e.g. the old and the new ca.crt. */
  readonly from: readonly string[];
  readonly file: string;
}

/**
 * While one authority takes over from another, everyone trusts both. Writes their certificates into one file, each
 * once, replacing the file as a whole; returns how many there are.
 * @throws PkiError
 */
export async function writeBundle({ from, file }: BundleToWrite): Promise<number> {
  const certificates: X509Certificate[] = [];
  for (const source of from) certificates.push(...authoritiesIn(await readText(source), source));
  if (certificates.length === 0) throw new PkiError('malformed', 'a bundle needs certificates: name their files');
  const bundle = onceEach(certificates);
  await placeFiles([{ file, contents: pemOfAll(bundle), mode: 0o644 }], 'replacing');
  return bundle.length;
}

/** The PEM text with the authority among its certificates: itself when it is there already. */
export function bundleWith(existing: string | undefined, authority: X509Certificate, file: string): string {
  const trusted = existing === undefined ? [] : authoritiesIn(existing, file);
  return pemOfAll(onceEach([...trusted, authority]));
}

function authoritiesIn(pem: string, file: string): readonly X509Certificate[] {
  let certificates: readonly X509Certificate[];
  try {
    certificates = certificatesInPem(pem);
  } catch (cause) {
    throw new PkiError('malformed', `${file} cannot be read as certificates: copy it again, whole`, { cause });
  }
  if (certificates.every(({ ca }) => ca)) return certificates;
  throw new PkiError('not-an-authority', `${file} holds a certificate that is not an authority's: leave that one out`);
}

function onceEach(certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint256, certificate])).values()];
}

function pemOfAll(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}
