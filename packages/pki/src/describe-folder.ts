import type { X509Certificate } from 'node:crypto';
import { dirname, extname, join } from 'node:path';
import { certificateIdentity, certificateValidity, subjectAltNames } from '@sigv4-keyd/fastify-mtls';
import type { CertificateDescription, FileProblem } from './certificate-description.js';
import { folderContents, type FolderFile } from './folder-contents.js';
import { AUTHORITY_CERTIFICATE } from './folder-layout.js';
import { daysLeft } from './lifetime.js';
import { PkiError } from './pki-error.js';
import { readRequest } from './read-request.js';

export interface FolderToDescribe {
  readonly folder: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * What is in a folder and the folders below it, and what is wrong with it.
 * @throws PkiError 'unreadable' when there is no such folder
 */
export async function describeFolder(wanted: FolderToDescribe): Promise<readonly CertificateDescription[]> {
  const contents = await folderContents(wanted.folder).catch((cause: unknown) => {
    throw new PkiError('unreadable', `${wanted.folder} cannot be read as a folder: check its name`, { cause });
  });
  return contents.flatMap((file) => describe(file, contents, wanted.now));
}

function describe(file: FolderFile, contents: readonly FolderFile[], now: number): readonly CertificateDescription[] {
  switch (file.holds) {
    case 'certificates':
      return file.certificates.map((certificate) => describeCertificate(file.file, certificate, contents, now));
    case 'private-key':
      return [describeKey(file, contents)];
    case 'request':
      return [describeRequest(file.file, file.csrPem)];
    case 'nothing-usable':
      return [nameless(file.file, 'unknown', [unusable(file.why)])];
  }
}

function describeCertificate(
  file: string,
  certificate: X509Certificate,
  contents: readonly FolderFile[],
  now: number,
): CertificateDescription {
  const { uris: [spiffeId] = [], dnsNames = [], ipAddresses = [] } = subjectAltNames(certificate) ?? {};
  const validity = certificateValidity(certificate);
  return {
    file,
    kind: certificate.ca ? 'authority' : 'leaf',
    ...(spiffeId === undefined ? {} : { spiffeId }),
    dnsNames,
    ipAddresses,
    serial: certificate.serialNumber,
    ...validity,
    daysLeft: daysLeft(validity.notAfter, now),
    problems: [
      ...validityProblems(validity.notBefore, validity.notAfter, now),
      ...(certificate.ca ? [] : identityProblems(certificate)),
      ...(certificate.ca ? [] : issuerProblems(file, certificate, contents)),
    ],
  };
}

function validityProblems(notBefore: Date, notAfter: Date, now: number): readonly FileProblem[] {
  if (now > notAfter.getTime()) return [{ code: 'expired', text: `it ended at ${notAfter.toISOString()}: renew it` }];
  if (now >= notBefore.getTime()) return [];
  return [
    { code: 'not-yet-valid', text: `it begins at ${notBefore.toISOString()}: check this clock and the issuer's` },
  ];
}

function identityProblems(certificate: X509Certificate): readonly FileProblem[] {
  const identity = certificateIdentity(certificate);
  if (identity.ok || identity.problem === 'authority-as-peer') return [];
  return [{ code: identity.problem, text: `it has ${identity.came}: issue one with exactly one SPIFFE id` }];
}

function issuerProblems(
  file: string,
  certificate: X509Certificate,
  contents: readonly FolderFile[],
): readonly FileProblem[] {
  const beside = join(dirname(file), AUTHORITY_CERTIFICATE);
  const trusted = contents.find((other) => other.file === beside);
  if (trusted?.holds !== 'certificates') return [];
  const issued = trusted.certificates.some((ca) => certificate.checkIssued(ca) && certificate.verify(ca.publicKey));
  return issued
    ? []
    : [{ code: 'not-issued-by-ca', text: `no authority of ${beside} issued it: renew it, or add its ca.crt` }];
}

function describeKey(
  file: FolderFile & { readonly holds: 'private-key' },
  contents: readonly FolderFile[],
): CertificateDescription {
  const problems: FileProblem[] = [];
  const others = file.mode & 0o077;
  if (others !== 0) {
    const mode = (file.mode & 0o777).toString(8);
    problems.push({
      code: 'key-readable-by-others',
      text: `its mode is ${mode}: chmod 600, and renew if others read it`,
    });
  }
  const beside = withExtension(file.file, '.crt');
  const certified = contents.find((other) => other.file === beside);
  if (certified?.holds === 'certificates' && certified.certificates[0]?.checkPrivateKey(file.key) === false) {
    problems.push({
      code: 'key-mismatch',
      text: `it is not the key of ${beside}: renew the certificate with a new key`,
    });
  }
  return nameless(file.file, 'private-key', problems);
}

function describeRequest(file: string, csrPem: string): CertificateDescription {
  try {
    const {
      uris: [spiffeId],
      dnsNames,
      ipAddresses,
    } = readRequest(csrPem);
    const identity = spiffeId === undefined ? {} : { spiffeId };
    return { file, kind: 'request', ...identity, dnsNames, ipAddresses, problems: [] };
  } catch (error) {
    const text = error instanceof PkiError ? error.message : 'it cannot be read: make it again';
    return nameless(file, 'request', [{ code: 'request-refused', text }]);
  }
}

function nameless(
  file: string,
  kind: CertificateDescription['kind'],
  problems: readonly FileProblem[],
): CertificateDescription {
  return { file, kind, dnsNames: [], ipAddresses: [], problems };
}

function unusable(why: 'unreadable' | 'malformed'): FileProblem {
  const text = why === 'unreadable' ? 'this user may not read it' : 'it is no whole certificate, request or plain key';
  return { code: why, text: `${text}: install it again` };
}

function withExtension(file: string, extension: string): string {
  return `${file.slice(0, -extname(file).length)}${extension}`;
}
