import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalError, openJournal, type Journal } from '@sigv4-keyd/ledger';
import { hold, type Target } from '../engine/target.js';

const RECORDS = ['the first record', 'the second', 'ü'];

/** A folder for all inputs, one after the other. */
const folder = mkdtempSync(join(tmpdir(), 'keyd-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const written = await open();
for (const record of RECORDS) await written.append(record);
await written.close();
const SEGMENT = join(folder, readdirSync(folder).find((name) => /^journal-\d+\.log$/.test(name)) ?? '');
const WHOLE = readFileSync(SEGMENT);

/** A segment of a region's journal, as a crash or a hand may have left it. */
const segment: Target = {
  name: 'journal-segment',
  covers: ['packages/ledger/dist/journal/'],
  seeds: [WHOLE, WHOLE.subarray(0, -20), WHOLE.subarray(0, WHOLE.indexOf('\n') + 1)],
  words: ['\n', 'sigv4-keyd-journal/1 ', ' 0 ', '9007199254740993 ', '\ufffd'],
  mostBytes: 1024,
  memory: { atLeast: 1024 * 1024, perByte: 64 },
  isSlow: true,
  async run(content) {
    writeFileSync(SEGMENT, content);
    let journal: Journal<string>;
    try {
      journal = await open();
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      hold(readFileSync(SEGMENT).equals(content), 'what is refused is left as it was');
      return false;
    }
    const read: string[] = [];
    for await (const { record } of journal.readFrom(1)) read.push(record);
    await journal.close();
    hold(read.join('\n') === RECORDS.slice(0, read.length).join('\n'), 'nothing is made up, left out or changed');
    hold(content.subarray(0, readFileSync(SEGMENT).length).equals(readFileSync(SEGMENT)), 'only the end was cut off');
    return true;
  },
};

export const JOURNAL: readonly Target[] = [segment];

function open(): Promise<Journal<string>> {
  const form = { encode: (text: string) => text, decode: (text: string) => text };
  return openJournal({ folder, form, createId: () => 'the-journal' });
}
