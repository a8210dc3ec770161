import type { RegionDay, RegionRow, RevokedPart, StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { RevocationStatement } from '@sigv4-keyd/revocation';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { isUp } from './tier-state.js';

type Regions = StatusAnswer['regions'];

/** The regions by name, each with its days: what was issued, who holds it, and what of it is revoked. */
export function regionGrid(
  replicas: Regions,
  days: readonly ScopeDate[],
  revocations: readonly RevocationStatement[],
  now: number,
): RegionRow[] {
  const names = [...new Set(replicas.map(({ region }) => region))];
  return names.sort().map((region) => {
    const own = replicas.filter((replica) => replica.region === region);
    const edges = own.flatMap((replica) => replica.edges);
    return {
      region,
      replicas: { known: own.length, up: own.filter(({ heardAt }) => isUp(heardAt, now)).length },
      edges: { known: edges.length, up: edges.filter(({ heardAt }) => isUp(heardAt, now)).length },
      days: days.map((date) => regionDay(date, own, revocationsOn(revocations, region, date))),
    };
  });
}

function regionDay(date: ScopeDate, replicas: Regions, revocations: readonly RevocationStatement[]): RegionDay {
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
    incidents: [...new Set(revocations.map(({ incident }) => incident))].slice(0, 5),
  };
}

function revocationsOn(
  revocations: readonly RevocationStatement[],
  region: string,
  date: ScopeDate,
): readonly RevocationStatement[] {
  return revocations.filter(
    (one) => (one.region === undefined || one.region === region) && one.from <= date && date <= one.to,
  );
}

function revokedPart(revocations: readonly RevocationStatement[]): RevokedPart {
  if (revocations.length === 0) return 'none';
  return revocations.some(({ service, accessKeyId }) => service === undefined && accessKeyId === undefined)
    ? 'all'
    : 'some';
}
