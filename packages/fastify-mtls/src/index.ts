export { parseSpiffeId, isTrustDomain, type SpiffeId } from './spiffe-id.js';
export { subjectAltNames, type SubjectAltNames } from './subject-alt-names.js';
export {
  certificateIdentity,
  certificateValidity,
  type CertificateIdentity,
  type IdentityProblem,
} from './certificate-identity.js';
export { certificatesInPem } from './certificates-in-pem.js';
export { readCredentials, type Credentials, type TlsFiles } from './credentials.js';
export { CredentialsError, type CredentialsErrorCode } from './credentials-error.js';
export { CredentialsStore, type CredentialsStoreOptions } from './credentials-store.js';
export { serverTlsOptions, type ServerTlsOptions } from './server-tls-options.js';
export type { FastifyMtlsTypes, PeerIdentity, PeerRole, RoleBearer } from './peer-identity.js';
export { MtlsError, type MtlsErrorCode } from './mtls-error.js';
export { MtlsClientError, type MtlsClientErrorCode } from './mtls-client-error.js';
export { createMtlsAgent, MtlsAgent, type MtlsAgentOptions } from './mtls-agent.js';
export type { Timer } from './timer.js';
export { fastifyMtls, type FastifyMtlsOptions } from './fastify-mtls.js';
