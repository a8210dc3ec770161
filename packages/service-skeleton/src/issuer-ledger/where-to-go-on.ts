import type { JournalReceipt } from '@sigv4-keyd/hop-protocol';
import type { IssuanceRecord, Journal } from '@sigv4-keyd/ledger';

/** Master and issuer do not agree on what the journal was; `message` says what to do. */
export class JournalMismatch extends Error {
  override readonly name = 'JournalMismatch';
}

/**
 * The number of the record to send next. Usually the first that was not acknowledged; a master that was restored from
 * an older copy is sent what it has lost, as far as it is still here.
 */
export async function whereToGoOn(journal: Journal<IssuanceRecord>, { next }: JournalReceipt): Promise<number> {
  if (next > journal.end.seq + 1) {
    throw new JournalMismatch(
      `The master holds records up to ${next - 1}, and the journal ends with ${journal.end.seq}: the state folder is an ` +
        'older copy. Put back the newest one, or move its journal folder away so that a new journal begins.',
    );
  }
  if (next <= journal.uploaded.seq && !(await isThere(journal, next))) {
    throw new JournalMismatch(
      `The master asks for record ${next} again, which it had acknowledged and which is no longer here: its database was ` +
        'set back. Move the journal folder away so that a new journal begins; nothing else is lost.',
    );
  }
  // What the master has needs no other mark here: it is marked with the next upload.
  if (next > journal.uploaded.seq + 1) await journal.markUploaded(next - 1);
  return next;
}

async function isThere(journal: Journal<IssuanceRecord>, seq: number): Promise<boolean> {
  try {
    for await (const entry of journal.readFrom(seq)) return entry.seq === seq;
    return false;
  } catch {
    return false;
  }
}
