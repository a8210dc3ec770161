import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf, MOST_WAITED_FOR, type OpenRevocation, type StatusAnswer } from '@sigv4-keyd/hop-protocol';
import { describeScope, type RevocationStatement } from '@sigv4-keyd/revocation';

type Edges = StatusAnswer['regions'][number]['edges'];

export interface NamedRevocation {
  readonly statement: RevocationStatement;
  /** The version of the first beacon that names it. */
  readonly namedIn: number;
}

/** An edge, and the region and service that its certificate names. */
export type PlacedEdge = Edges[number] & { readonly region?: string; readonly service?: string };

export function placedEdges(edges: Edges): readonly PlacedEdge[] {
  return edges.map((edge) => ({ ...edge, ...placeOf(edge.spiffeId) }));
}

/** Whether the edge serves what the revocation hits. */
export function isConcerned({ statement }: NamedRevocation, edge: PlacedEdge): boolean {
  const { region, service } = statement;
  return (region === undefined || edge.region === region) && (service === undefined || edge.service === service);
}

/** An edge that holds a beacon which names the revocation refuses what it hits. */
export function hasReached({ namedIn }: NamedRevocation, { report }: PlacedEdge): boolean {
  return (report.feed?.version ?? -1) >= namedIn;
}

/** How far each revocation has come. */
export function openRevocations(
  revocations: readonly NamedRevocation[],
  edges: readonly PlacedEdge[],
): OpenRevocation[] {
  return revocations.map((revocation) => {
    const { id, incident, reason, at, region, service, accessKeyId, from, to } = revocation.statement;
    const concerned = edges.filter((edge) => isConcerned(revocation, edge));
    const missing = concerned.filter((edge) => !hasReached(revocation, edge));
    return {
      id,
      incident,
      reason,
      scope: describeScope(revocation.statement),
      region,
      service,
      accessKeyId,
      from,
      to,
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
