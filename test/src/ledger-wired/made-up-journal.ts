import {
  JOURNAL_PATH,
  journalReceipt,
  type JournalReceipt,
  type PeerClient,
  type UploadedEntry,
} from '@sigv4-keyd/hop-protocol';
import {
  chainGenesis,
  chainNext,
  encodeIssuanceRecord,
  type ChainPosition,
  type IssuanceRecord,
} from '@sigv4-keyd/ledger';
import { scopeDateOf } from '@sigv4-keyd/sigv4-core';
import { randomUUID } from 'node:crypto';
import { TRUST_DOMAIN } from '../support/certificates.js';

export const REGION = `spiffe://${TRUST_DOMAIN}/region/us-east-1/r1`;
export const EDGE = `spiffe://${TRUST_DOMAIN}/edge/us-east-1/s3/e1`;
export const BOUND_EDGE = EDGE.replace('/e1', '/aws4_request/e1');
const AT = Date.parse('2026-11-22T12:00:00Z');

type ServiceRecord = Extract<IssuanceRecord, { readonly rung: 'kService' }>;

/** A record as an honest region makes it, but for the changes. */
export function serviceRecord(changes: Partial<ServiceRecord> = {}): IssuanceRecord {
  return { ...toTheEdge(), rung: 'kService', service: 's3', ...changes };
}

/** The same for an edge that is bound to a purpose. */
export function signingRecord(changes: { readonly to?: string } = {}): IssuanceRecord {
  return { ...toTheEdge(), to: BOUND_EDGE, rung: 'kSigning', service: 's3', ...changes };
}

/** The same for a public key. */
export function publicKeyRecord(scope: { readonly service?: string } = { service: 's3' }): IssuanceRecord {
  return { ...toTheEdge(), rung: 'publicKey', ...scope };
}

function toTheEdge(): Omit<ServiceRecord, 'rung' | 'service'> {
  return {
    v: 1,
    id: randomUUID(),
    at: new Date(AT).toISOString(),
    from: REGION,
    to: EDGE,
    region: 'us-east-1',
    date: scopeDateOf(AT),
    accessKeyIds: ['AKIAONE'],
    requestId: 'request-1',
  };
}

/** The chain of a journal that is nowhere on a disk. */
export class MadeUpJournal {
  readonly id: string;
  readonly entries: UploadedEntry[] = [];
  #end: ChainPosition;

  constructor(id: string = randomUUID()) {
    this.id = id;
    this.#end = chainGenesis(id);
  }

  /** Adds records and returns their entries. */
  add(...records: readonly (IssuanceRecord | string)[]): readonly UploadedEntry[] {
    return records.map((record) => {
      const { seq, hash, payload } = chainNext(
        this.#end,
        typeof record === 'string' ? record : encodeIssuanceRecord(record),
      );
      this.#end = { seq, hash };
      const entry = { seq, hash, record: payload };
      this.entries.push(entry);
      return entry;
    });
  }

  upload(client: PeerClient, entries: readonly UploadedEntry[] = this.entries): Promise<JournalReceipt> {
    const body = { journal: this.id, entries };
    return client.call({ method: 'POST', path: JOURNAL_PATH, body, answer: journalReceipt });
  }
}
