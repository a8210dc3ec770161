import { createMtlsAgent, CredentialsStore, parseSpiffeId, type TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { identityOf, PeerClient } from '@sigv4-keyd/hop-protocol';
import { CommandError } from '../command-line/command-error.js';
import { MasterClient } from './master-client.js';

/** A report over months reads millions of rows; the master itself gives up sooner. */
const ANSWER_WITHIN_MS = 20_000;

/** Where master-keyd is, and the certificate to show it. */
export interface MasterAddress {
  readonly url: URL;
  readonly files: TlsFiles;
}

/**
 * Runs `task` with a client of master-keyd, connected as the operator of the certificate, and closes the connection.
 * The server must be a master of the operator's own trust domain.
 */
export async function withMaster<Result>(
  { url, files }: MasterAddress,
  now: number,
  task: (master: MasterClient, trustDomain: string) => Promise<Result>,
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
    acceptsServer: (id) => id.trustDomain === trustDomain && identityOf(id)?.role === 'master',
  });
  try {
    const peer = new PeerClient({ urls: [url], dispatcher: agent, timeoutMs: ANSWER_WITHIN_MS });
    return await task(new MasterClient(peer), trustDomain);
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
