import { spiffeIdOf, type EdgeIdentity, type KeyAnswer, type KeyRequest } from '@sigv4-keyd/hop-protocol';
import type { KService } from '@sigv4-keyd/sigv4-core';
import type { FastifyBaseLogger } from 'fastify';

/** One line for every answer that carries keys: who, which scope, how many. Never a key. */
export function logIssuance(
  log: FastifyBaseLogger,
  edge: EdgeIdentity,
  request: KeyRequest,
  answer: KeyAnswer<KService>,
  requestId: string,
): void {
  log.info(
    {
      event: 'service-keys-issued',
      peer: spiffeIdOf(edge),
      scopeDate: request.date,
      service: edge.service,
      issued: answer.issued.size,
      absent: answer.absent.size,
      requestId,
    },
    'issued kService',
  );
}
