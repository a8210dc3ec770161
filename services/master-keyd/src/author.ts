import { hasRole, KeydError, type OperatorIdentity } from '@sigv4-keyd/hop-protocol';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';

/** On whose behalf a change is made, and under which request. */
export interface Author {
  readonly operator: OperatorIdentity;
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
}

/** The operator behind a request, from its certificate. */
export function authorOf(request: Pick<FastifyRequest, 'peer' | 'id' | 'log'>): Author {
  const operator = request.peer;
  if (!hasRole(operator, 'operator')) throw new KeydError('role-not-allowed');
  return { operator, requestId: request.id, log: request.log };
}
