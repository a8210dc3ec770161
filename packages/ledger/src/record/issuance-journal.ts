import type { RecordForm } from '../journal/journal.js';
import { decodeIssuanceRecord, encodeIssuanceRecord, type IssuanceRecord } from './issuance-record.js';

/** How a region's journal holds what it issued: the very bytes that the leaves of the log are hashes of. */
export const issuanceRecordForm: RecordForm<IssuanceRecord> = {
  encode: encodeIssuanceRecord,
  decode: decodeIssuanceRecord,
};
