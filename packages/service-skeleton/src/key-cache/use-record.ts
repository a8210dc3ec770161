import { isScopeDate, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { readText, writeText } from './key-record.js';
import type { RecordForm } from './record-blocks.js';

/** The last day that an access key was asked for. */
export interface UseRecord {
  readonly accessKeyId: string;
  readonly date: ScopeDate;
}

const DATE_BYTES = 8;

/** id length (1) | id | YYYYMMDD (8) */
export const useRecordForm: RecordForm<UseRecord> = {
  bytesOf: ({ accessKeyId }) => 1 + accessKeyId.length + DATE_BYTES,
  write({ accessKeyId, date }, into, at) {
    const end = writeText(accessKeyId, into, at);
    return end + into.write(date, end, 'latin1');
  },
  read(from, at) {
    const { text: accessKeyId, end: afterId } = readText(from, at);
    const end = afterId + DATE_BYTES;
    const date = from.toString('latin1', afterId, end);
    if (!isScopeDate(date)) throw new RangeError('no day where one should be');
    return { record: { accessKeyId, date }, end };
  },
};
