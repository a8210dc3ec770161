import { join } from 'node:path';
import { isTrustDomain } from '@sigv4-keyd/fastify-mtls';
import { Authority } from './authority.js';
import { authorityExtensions } from './certificate-extensions.js';
import { oid, sequence, set, utf8String, type Asn1 } from './der.js';
import { AUTHORITY_CERTIFICATE, AUTHORITY_KEY, readText, refuseExisting } from './folder-layout.js';
import { newKeyPair, privateKeyPem, readPrivateKey } from './keys.js';
import { lifetimeFrom } from './lifetime.js';
import { PkiError } from './pki-error.js';
import { placeFiles } from './place-files.js';
import { signCertificate } from './sign-certificate.js';

const AUTHORITY_DAYS = 3650;

export interface AuthorityToCreate {
  readonly folder: string;
  readonly trustDomain: string;
  readonly days?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Makes ca.key (0600) and ca.crt in the folder; nothing that is there is overwritten.
 * @throws PkiError
 */
export async function createAuthority(wanted: AuthorityToCreate): Promise<Authority> {
  const { folder, trustDomain, days = AUTHORITY_DAYS, now } = wanted;
  if (!isTrustDomain(trustDomain)) {
    const message = `${JSON.stringify(trustDomain.slice(0, 200))} is no trust domain: write one such as keyd.example`;
    throw new PkiError('malformed-trust-domain', message);
  }
  const [cert, key] = [join(folder, AUTHORITY_CERTIFICATE), join(folder, AUTHORITY_KEY)];
  await refuseExisting(cert, key);
  const { privateKey, publicKey } = await newKeyPair();
  const name = authorityName(trustDomain);
  const extensions = authorityExtensions(trustDomain, publicKey);
  const contents = { issuer: name, subject: name, publicKey, extensions, ...lifetimeFrom(now, days) };
  const certPem = signCertificate(contents, privateKey);
  await placeFiles(
    [
      { file: key, contents: privateKeyPem(privateKey), mode: 0o600 },
      { file: cert, contents: certPem, mode: 0o644 },
    ],
    'new',
  );
  return new Authority(certPem, privateKey, folder);
}

/** @throws PkiError */
export async function openAuthority({ folder }: { readonly folder: string }): Promise<Authority> {
  const certPem = await readText(join(folder, AUTHORITY_CERTIFICATE));
  return new Authority(certPem, await readPrivateKey(join(folder, AUTHORITY_KEY)), folder);
}

// X.520 allows a common name 64 characters; the whole trust domain stands in the URI name.
const COMMON_NAME = '2.5.4.3';
const LONGEST_COMMON_NAME = 64;

function authorityName(trustDomain: string): Asn1 {
  const value = utf8String(trustDomain.slice(0, LONGEST_COMMON_NAME));
  return sequence(set(sequence(oid(COMMON_NAME), value)));
}
