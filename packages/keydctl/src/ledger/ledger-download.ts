import type { LedgerLeaf, LedgerRecords, LedgerRecordsQuery } from '@sigv4-keyd/hop-protocol';

export type RecordFilter = Omit<LedgerRecordsQuery, 'from' | 'limit'>;

/** Who answers pages of the log: master-keyd, through its client. */
export interface LedgerPages {
  ledgerRecords(query: LedgerRecordsQuery): Promise<LedgerRecords>;
}

/** The leaves before `size` in order (those of the filter), a page at a time; `onProgress` hears after each. */
export async function* downloadLeaves(
  pages: LedgerPages,
  { size, filter = {} }: { readonly size?: number; readonly filter?: RecordFilter },
  onProgress: (done: number, size: number) => void = () => undefined,
): AsyncGenerator<LedgerLeaf, void, undefined> {
  let from: number | undefined = 0;
  while (from !== undefined && (size === undefined || from < size)) {
    const page: LedgerRecords = await pages.ledgerRecords({ ...filter, from });
    for (const leaf of page.leaves) {
      if (size !== undefined && leaf.leaf >= size) return;
      yield leaf;
    }
    // A page that does not lead onwards would be asked for for ever.
    from = page.next !== undefined && page.next > from ? page.next : undefined;
    onProgress(from ?? page.size, page.size);
  }
}
