import { spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import type { FastifyBaseLogger } from 'fastify';
import type { IssuanceToEdge } from './journal/issuance-to-edge.js';

/** One line for every answer to an edge, and for every page of a stream, in the log of its request. Never a key. */
export function logIssuance(
  log: FastifyBaseLogger,
  { edge, rung, date, accessKeyIds }: IssuanceToEdge,
  absentCount: number,
): void {
  log.info(
    {
      event: 'service-keys-issued',
      rung,
      peer: spiffeIdOf(edge),
      scopeDate: date,
      service: edge.service,
      issued: accessKeyIds.length,
      absent: absentCount,
    },
    `issued ${rung}`,
  );
}
