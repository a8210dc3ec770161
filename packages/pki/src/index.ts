export { PkiError, type PkiErrorCode } from './pki-error.js';
export { Authority, type Certification } from './authority.js';
export { createAuthority, openAuthority, type AuthorityToCreate } from './authority-folder.js';
export type { SubjectNames } from './subject-names.js';
export { issue, type CertificateToIssue, type IssuedFiles } from './issue.js';
export { renew, type CertificateToRenew } from './renew.js';
export { createRequest, type CreatedRequest, type RequestToCreate } from './create-request.js';
export { readRequest, type CertificateRequest } from './read-request.js';
export { signRequest, type RequestToSign, type SignedRequest } from './sign-request.js';
export { installCertificate, type CertificateToInstall } from './install-certificate.js';
export { describeFolder, type FolderToDescribe } from './describe-folder.js';
export type {
  CertificateDescription,
  FileProblem,
  FileProblemCode,
  PkiFileKind,
} from './certificate-description.js';
export { placeFiles, type FileToPlace, type Placing } from './place-files.js';
export { writeBundle, type BundleToWrite } from './trust-bundle.js';
