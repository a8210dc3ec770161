import { MOST_RECORD_BYTES_A_PAGE, MOST_RECORDS_A_PAGE, type UploadedEntry } from '@sigv4-keyd/hop-protocol';
import { encodeIssuanceRecord, type IssuanceRecord, type Journal } from '@sigv4-keyd/ledger';

/** As many records from number `seq` on as one upload takes; none when there are none. Throws JournalError. */
export async function journalPage(journal: Journal<IssuanceRecord>, seq: number): Promise<readonly UploadedEntry[]> {
  const page: UploadedEntry[] = [];
  let bytes = 0;
  for await (const { seq: number, hash, record } of journal.readFrom(seq)) {
    const text = encodeIssuanceRecord(record);
    bytes += Buffer.byteLength(text);
    if (page.length > 0 && bytes > MOST_RECORD_BYTES_A_PAGE) break;
    page.push({ seq: number, hash, record: text });
    if (page.length === MOST_RECORDS_A_PAGE) break;
  }
  return page;
}
