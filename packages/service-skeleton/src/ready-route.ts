import { KeydError, READY_PATH, type Role } from '@sigv4-keyd/hop-protocol';
import type { MtlsApp } from './mtls-app.js';

const EVERYONE: readonly Role[] = ['master', 'deputy', 'region', 'edge', 'operator'];

/** GET /v1/ready: whether this one can do its work, for those below who might ask another. */
export function readyRoute(app: MtlsApp, notReady: () => readonly string[]): void {
  app.get(READY_PATH, { config: { mtls: { roles: EVERYONE } } }, (_request, reply) => {
    const reasons = notReady();
    if (reasons.length > 0) throw new KeydError('not-ready', { detail: reasons.join('; ') });
    return reply.code(204).send();
  });
}
