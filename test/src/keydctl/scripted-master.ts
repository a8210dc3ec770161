import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { ACCESS_KEYS_PATH, BANS_PATH, STATUS_PATH } from '@sigv4-keyd/hop-protocol';
import { createLogger, createMtlsApp } from '@sigv4-keyd/service-skeleton';
import type { Test } from 'tap';
import { TRUST_DOMAIN } from '../support/certificates.js';

/** A server over real mTLS that answers every operator request as the test says: what no healthy master would do. */
export async function scriptedMaster(
  t: Test,
  credentials: CredentialsStore,
  answer: () => unknown,
): Promise<{ readonly url: string }> {
  const log = createLogger({ service: 'scripted-master', level: 'silent' });
  const app = await createMtlsApp({ credentials, trustDomain: TRUST_DOMAIN, log });
  for (const url of [STATUS_PATH, BANS_PATH, ACCESS_KEYS_PATH]) {
    app.route({ method: ['GET', 'POST'], url, config: { mtls: { roles: ['operator'] } }, handler: () => answer() });
  }
  t.teardown(() => app.close());
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}
