import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import {
  identityOf,
  KeydError,
  rungOf,
  spiffeIdOf,
  type DeputyIdentity,
  type RegionIdentity,
} from '@sigv4-keyd/hop-protocol';
import { decodeIssuanceRecord, LedgerError, type IssuanceRecord } from '@sigv4-keyd/ledger';
import type { KeyTaker } from '../audit.js';

/** A record as its issuer may make it. The certificate says who that is, whatever the record claims. */
export function recordOf(issuer: KeyTaker, seq: number, text: string): IssuanceRecord {
  const record = decoded(seq, text);
  const problem =
    record.from !== spiffeIdOf(issuer)
      ? `from: must be the ${issuer.role} of the certificate`
      : issuer.role === 'region'
        ? problemOfRegions(issuer, record)
        : problemOfDeputies(issuer, record);
  if (problem !== undefined) throw new KeydError('malformed-request', { detail: `record ${seq}: ${problem}` });
  return record;
}

/** Keys of its own region, to an edge of the region and service. */
function problemOfRegions(region: RegionIdentity, record: IssuanceRecord): string | undefined {
  if (record.rung === 'kDate' || record.rung === 'kRegion')
    return 'rung: a region issues kService, kSigning and public keys';
  if (record.region !== region.region) return 'region: must be that of the certificate';
  const edge = identityIn(record.to);
  if (edge?.role !== 'edge' || edge.trustDomain !== region.trustDomain || edge.region !== region.region) {
    return 'to: must be an edge of the region';
  }
  if (edge.service !== record.service) return 'service: must be that of the edge';
  const rung = rungOf(edge);
  return record.rung === 'publicKey' || record.rung === rung ? undefined : `rung: the edge is given ${rung}`;
}

/** kRegion, to a region of its name. */
function problemOfDeputies(deputy: DeputyIdentity, record: IssuanceRecord): string | undefined {
  if (record.rung !== 'kRegion') return 'rung: a deputy issues kRegion';
  const region = identityIn(record.to);
  if (region?.role !== 'region' || region.trustDomain !== deputy.trustDomain) return 'to: must be a region';
  return region.region === record.region ? undefined : 'region: must be that of the region that was given the keys';
}

function identityIn(spiffeId: string): ReturnType<typeof identityOf> {
  const id = parseSpiffeId(spiffeId);
  return id && identityOf(id);
}

function decoded(seq: number, text: string): IssuanceRecord {
  try {
    return decodeIssuanceRecord(text);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new KeydError('malformed-request', { detail: `record ${seq}: ${error.detail ?? error.code}`, cause: error });
  }
}
