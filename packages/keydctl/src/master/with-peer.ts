import { createMtlsAgent, CredentialsStore, parseSpiffeId, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { identityOf, PeerClient, type Role } from '@sigv4-keyd/hop-protocol';
import { CommandError } from '../command-line/command-error.js';

/** A report over months reads millions of rows; the master itself gives up sooner. */
const ANSWER_WITHIN_MS = 20_000;

/** Where a tier is, and the certificate to show it. */
export interface PeerAddress {
  readonly url: URL;
  readonly files: TlsFiles;
}

/**
 * Runs `task` with a client of a tier, connected as the operator of the certificate, and closes the connection. The
 * server must be of the role, and of the operator's own trust domain.
 */
export async function withPeer<Result>(
  role: Role,
  { url, files }: PeerAddress,
  now: number,
  task: (peer: PeerClient, trustDomain: string) => Promise<Result>,
): Promise<Result> {
  const credentials = await CredentialsStore.open(files);
  const { spiffeId, notAfter } = credentials.current;
  const trustDomain = operatorTrustDomain(spiffeId, files.cert);
  if (notAfter.getTime() <= now) {
    const message = `the certificate ${files.cert} expired on ${notAfter.toISOString()}`;
    throw new CommandError('not-permitted', 'certificate-expired', message, 'Renew it with keydctl pki renew');
  }
  const agent = createMtlsAgent({
    credentials,
    acceptsServer: (id) => id.trustDomain === trustDomain && identityOf(id)?.role === role,
  });
  try {
    return await task(new PeerClient({ urls: [url], dispatcher: agent, timeoutMs: ANSWER_WITHIN_MS }), trustDomain);
  } finally {
    await agent.close();
  }
}

function operatorTrustDomain(spiffeId: string, file: string): string {
  const id = parseSpiffeId(spiffeId);
  const identity = id && identityOf(id);
  if (identity?.role === 'operator') return identity.trustDomain;
  const message = `the certificate ${file} is for ${spiffeId}, not for an operator`;
  throw new CommandError('not-permitted', 'not-an-operator', message, 'Issue one: keydctl pki issue operator NAME');
}
