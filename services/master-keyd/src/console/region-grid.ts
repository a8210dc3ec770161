import type { RegionDay, RegionRow, RevokedPart, StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { hasReached, isConcerned, type NamedRevocation, type PlacedEdge } from './open-revocations.js';
import { isUp } from './tier-state.js';

type Regions = StatusAnswer['regions'];

/** The revocations in force, and the edges that act on them. */
interface InForce {
  readonly revocations: readonly NamedRevocation[];
  readonly edges: readonly PlacedEdge[];
}

/** The regions by name, each with its days: what was issued, who holds it, and what of it is revoked. */
export function regionGrid(
  replicas: Regions,
  days: readonly ScopeDate[],
  { revocations, edges: allEdges }: InForce,
  now: number,
): RegionRow[] {
  const names = [...new Set(replicas.map(({ region }) => region))];
  return names.sort().map((region) => {
    const own = replicas.filter((replica) => replica.region === region);
    const edges = own.flatMap((replica) => replica.edges);
    const placed = allEdges.filter((edge) => edge.region === region);
    return {
      region,
      replicas: { known: own.length, up: own.filter(({ heardAt }) => isUp(heardAt, now)).length },
      edges: { known: edges.length, up: edges.filter(({ heardAt }) => isUp(heardAt, now)).length },
      days: days.map((date) =>
        regionDay(date, own, { revocations: revocationsOn(revocations, region, date), edges: placed }),
      ),
    };
  });
}

function regionDay(date: ScopeDate, replicas: Regions, inForce: InForce): RegionDay {
  const { revocations } = inForce;
  const issued = replicas.flatMap((replica) => replica.issued.filter((day) => day.date === date));
  const held = replicas
    .flatMap(({ edges }) => edges)
    .flatMap(({ report }) => report.heldDays.filter((day) => day.date === date && day.keys > 0));
  return {
    date,
    issued: Math.max(0, ...issued.map(({ accessKeys }) => accessKeys)),
    edgesHolding: held.length,
    mostKeysHeld: held.reduce((most, { keys }) => Math.max(most, keys), 0),
    revoked: revokedPart(revocations),
    incidents: [...new Set(revocations.map(({ statement }) => statement.incident))].slice(0, 5),
    ...(revocations.length > 0 && { confirmed: confirmedAt(inForce) }),
  };
}

/** An edge counts once it has confirmed every revocation of the cell that concerns it. */
function confirmedAt({ revocations, edges }: InForce): RegionDay['confirmed'] {
  const concerned = edges.filter((edge) => revocations.some((one) => isConcerned(one, edge)));
  const reached = concerned.filter((edge) =>
    revocations.every((one) => !isConcerned(one, edge) || hasReached(one, edge)),
  );
  return { concerned: concerned.length, reached: reached.length };
}

function revocationsOn(
  revocations: readonly NamedRevocation[],
  region: string,
  date: ScopeDate,
): readonly NamedRevocation[] {
  return revocations.filter(
    ({ statement: one }) => (one.region === undefined || one.region === region) && one.from <= date && date <= one.to,
  );
}

function revokedPart(revocations: readonly NamedRevocation[]): RevokedPart {
  if (revocations.length === 0) return 'none';
  return revocations.some(
    ({ statement: { service, accessKeyId } }) => service === undefined && accessKeyId === undefined,
  )
    ? 'all'
    : 'some';
}
