import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf, MOST_WAITED_FOR, type OpenRevocation, type StatusAnswer } from '@sigv4-keyd/hop-protocol';
import { describeScope, type RevocationStatement } from '@sigv4-keyd/revocation';

type Edges = StatusAnswer['regions'][number]['edges'];

export interface NamedRevocation {
  readonly statement: RevocationStatement;
  /** The version of the first beacon that names it. */
  readonly namedIn: number;
}

/** How far each revocation has come: an edge that holds a beacon which names it refuses what it hits. */
export function openRevocations(revocations: readonly NamedRevocation[], edges: Edges): OpenRevocation[] {
  const placed = edges.map((edge) => ({ ...edge, ...placeOf(edge.spiffeId) }));
  return revocations.map(({ statement, namedIn }) => {
    const { id, incident, reason, at, region, service } = statement;
    const concerned = placed.filter(
      (edge) => (region === undefined || edge.region === region) && (service === undefined || edge.service === service),
    );
    const missing = concerned.filter(({ report }) => (report.feed?.version ?? -1) < namedIn);
    return {
      id,
      incident,
      reason,
      scope: describeScope(statement),
      at,
      edges: { concerned: concerned.length, reached: concerned.length - missing.length },
      waitingFor: missing.slice(0, MOST_WAITED_FOR).map(({ spiffeId }) => spiffeId),
    };
  });
}

function placeOf(spiffeId: string): { readonly region?: string; readonly service?: string } {
  const id = parseSpiffeId(spiffeId);
  const identity = id && identityOf(id);
  return identity?.role === 'edge' ? identity : {};
}
