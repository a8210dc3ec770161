import type { IssuanceRecord } from '@sigv4-keyd/ledger';
import type { Paint } from '../command-line/outcome.js';
import { shortInstant } from './age.js';
import { table } from './table.js';

export type ShownRecord = IssuanceRecord & { readonly leaf: number };

/** Longer lists are counted; --json has them whole. */
const MOST_NAMED = 3;

export function ledgerTable(paint: Paint, records: readonly ShownRecord[]): string {
  if (records.length === 0) return 'No records: nothing of this was issued.';
  return table(
    paint,
    ['leaf', 'at', 'to', 'day', 'service', 'access keys'],
    records.map((record) => [
      String(record.leaf),
      shortInstant(record.at),
      record.to,
      record.date,
      serviceOf(record),
      listed(record.accessKeyIds),
    ]),
  );
}

/** Public keys are told apart: nobody can sign with what such a record stands for. */
function serviceOf(record: IssuanceRecord): string {
  switch (record.rung) {
    case 'kDate':
      return 'all, in every region (kDate)';
    case 'kRegion':
      return 'all (kRegion)';
    case 'kService':
      return record.service;
    case 'kSigning':
      return `${record.service} (kSigning)`;
    case 'publicKey':
      return `${record.service ?? 'all'} (public key)`;
  }
}

function listed(ids: readonly string[]): string {
  const named = ids.slice(0, MOST_NAMED).join(', ');
  return ids.length > MOST_NAMED ? `${named} and ${ids.length - MOST_NAMED} more` : named;
}
