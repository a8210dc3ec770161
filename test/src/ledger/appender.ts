// Appends records for as long as it lives, and says on standard output what it was promised. Killed by the test.
import { openJournal, type RecordForm } from '@sigv4-keyd/ledger';
import { sayAtOnce } from '../support/said-at-once.js';

/** The smallest record there can be: a number. */
const numberForm: RecordForm<number> = { encode: String, decode: Number };

const [folder = ''] = process.argv.slice(2);
const journal = await openJournal({ folder, form: numberForm, segmentBytes: 4096 });
sayAtOnce('open');

async function appendForEver(): Promise<never> {
  for (;;) {
    const { seq, hash } = await journal.append(journal.end.seq);
    sayAtOnce(`acknowledged ${seq} ${hash}`);
    if (seq % 50 === 0) {
      await journal.markUploaded(seq - 40);
      sayAtOnce(`uploaded ${seq - 40}`);
    }
  }
}

await Promise.all(Array.from({ length: 8 }, appendForEver));
