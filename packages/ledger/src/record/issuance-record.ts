import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { isAccessKeyId, isRegionName, isScopeDate, isServiceName, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { LedgerError } from '../ledger-error.js';
import { leafHash, type MerkleHash } from '../merkle/merkle-hash.js';

/** The most access keys of one record; an answer with more makes several records. */
export const MOST_KEYS_A_RECORD = 5_000;

const scopeDate = z.string().refine((text): text is ScopeDate => isScopeDate(text), 'must be a UTC day, YYYYMMDD');
const spiffeId = z.string().refine((text) => parseSpiffeId(text) !== undefined, 'must be a SPIFFE id');
const token = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable characters without spaces');
// One instant has one spelling, or else one record would have several hashes.
const instant = z.string().refine(isInstant, 'must be an instant, YYYY-MM-DDTHH:MM:SS.mmmZ');
// Looked through at once: a day of all access keys is many times five thousand ids.
const accessKeyIds = z.custom<readonly string[]>(isListOfIds, 'must be access key ids, sorted, each once');

const common = {
  v: z.literal(1),
  /** Unique among the records of the issuer. */
  id: token,
  /** When the keys were released, by the issuer's clock. */
  at: instant,
  /** The SPIFFE id of the issuer. */
  from: spiffeId,
  /** The SPIFFE id of the peer that got the keys. */
  to: spiffeId,
  date: scopeDate,
  accessKeyIds,
  requestId: token,
};

const region = z.string().refine(isRegionName, 'must be a region name');
const service = z.string().refine(isServiceName, 'must be a service name');

/**
 * Who was given which keys of which scope, and when. Closed: there is no place for a key in it. `publicKey` is no rung
 * of the ladder and makes no signature; a region is given it for all services, an edge for its own. `kDate` is good in
 * every region, so that its record names none.
 */
export const issuanceRecord = z
  .discriminatedUnion('rung', [
    z.strictObject({ ...common, rung: z.literal('kDate') }),
    z.strictObject({ ...common, rung: z.literal('kRegion'), region }),
    z.strictObject({ ...common, rung: z.literal('kService'), region, service }),
    z.strictObject({ ...common, rung: z.literal('kSigning'), region, service }),
    z.strictObject({ ...common, rung: z.literal('publicKey'), region, service: service.optional() }),
  ])
  .readonly();

export type IssuanceRecord = z.infer<typeof issuanceRecord>;

/** The record's one line of RFC 8785 JSON. Throws LedgerError `malformed-record`. */
export function encodeIssuanceRecord(record: IssuanceRecord): string {
  return canonical(check(record));
}

/** Reads a record. Throws LedgerError `malformed-record` for any other spelling than the canonical one, too. */
export function decodeIssuanceRecord(text: string): IssuanceRecord {
  const record = check(parseJson(text));
  if (canonical(record) !== text) throw new LedgerError('malformed-record', 'not the canonical spelling');
  return record;
}

/** The leaf of the log that stands for the record. */
export function recordLeafHash(record: IssuanceRecord): MerkleHash {
  return leafHash(Buffer.from(encodeIssuanceRecord(record)));
}

function check(value: unknown): IssuanceRecord {
  const checked = issuanceRecord.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  // The path and the rule, never the value: whatever was put where it does not belong stays out of messages.
  const detail = issue?.code === 'unrecognized_keys' ? 'a field too many' : (issue?.path.join('.') ?? '');
  throw new LedgerError('malformed-record', detail);
}

/** RFC 8785. Of ASCII texts and a 1: there the order of the names is all that it adds to JSON.stringify. */
function canonical(record: IssuanceRecord): string {
  const fields = Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(Object.fromEntries(fields));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw new LedgerError('malformed-record', 'not JSON');
  }
}

function isInstant(text: string): boolean {
  const instant = new Date(text);
  return !Number.isNaN(instant.getTime()) && instant.toISOString() === text && text.length === 24;
}

function isListOfIds(list: unknown): boolean {
  if (!Array.isArray(list) || list.length === 0 || list.length > MOST_KEYS_A_RECORD) return false;
  let last = '';
  return list.every((id: unknown) => {
    if (typeof id !== 'string' || !isAccessKeyId(id) || id <= last) return false;
    last = id;
    return true;
  });
}
