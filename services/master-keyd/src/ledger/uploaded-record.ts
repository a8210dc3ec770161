import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { identityOf, KeydError, rungOf, spiffeIdOf, type RegionIdentity } from '@sigv4-keyd/hop-protocol';
import { decodeIssuanceRecord, LedgerError, type IssuanceRecord } from '@sigv4-keyd/ledger';

/**
 * A record as a region may make it: keys of its own region, from itself to an edge of the region and service. The
 * certificate says who the region is, whatever the record claims.
 */
export function recordOf(region: RegionIdentity, seq: number, text: string): IssuanceRecord {
  const record = decoded(seq, text);
  const id = parseSpiffeId(record.to);
  const edge = id && identityOf(id);
  const problem =
    record.rung === 'kRegion'
      ? 'rung: a region issues kService, kSigning and public keys'
      : record.from !== spiffeIdOf(region)
        ? 'from: must be the region of the certificate'
        : record.region !== region.region
          ? 'region: must be that of the certificate'
          : edge?.role !== 'edge' || edge.trustDomain !== region.trustDomain || edge.region !== region.region
            ? 'to: must be an edge of the region'
            : edge.service !== record.service
              ? 'service: must be that of the edge'
              : record.rung !== 'publicKey' && record.rung !== rungOf(edge)
                ? `rung: the edge is given ${rungOf(edge)}`
                : undefined;
  if (problem !== undefined) throw new KeydError('malformed-request', { detail: `record ${seq}: ${problem}` });
  return record;
}

function decoded(seq: number, text: string): IssuanceRecord {
  try {
    return decodeIssuanceRecord(text);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new KeydError('malformed-request', { detail: `record ${seq}: ${error.detail ?? error.code}`, cause: error });
  }
}
