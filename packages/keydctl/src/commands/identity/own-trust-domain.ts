import { parseSpiffeId, readCredentials, type TlsFiles } from '@sigv4-keyd/fastify-mtls';

/** The trust domain of the operator's certificate: identities given in parts are of the same. */
export async function ownTrustDomain(files: TlsFiles): Promise<string | undefined> {
  const { spiffeId } = await readCredentials(files);
  return parseSpiffeId(spiffeId)?.trustDomain;
}
