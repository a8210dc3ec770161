import { hasRole, KeydError } from '@sigv4-keyd/hop-protocol';
import type { FastifyRequest } from 'fastify';
import type { Author } from './access-key-changes.js';

/** The operator behind a request, from its certificate. */
export function authorOf(request: Pick<FastifyRequest, 'peer' | 'id' | 'log'>): Author {
  const operator = request.peer;
  if (!hasRole(operator, 'operator')) throw new KeydError('role-not-allowed');
  return { operator, requestId: request.id, log: request.log };
}
