import type { Paint } from '../command-line/outcome.js';
import type { ComparedCalls, ComparedCounts } from '../custody/compare-counts.js';
import { table } from './table.js';

/** The rest is counted: whoever has a certificate may have called often. */
const MOST_NAMED = 20;

const WHAT_TO_DO =
  'Somebody used the certificate of a master outside of it. Keep the journal of the signer, replace the certificate ' +
  'and the authority that made it, and take the access keys of the sealed secrets for known: give them new ones.';

export function countsText(paint: Paint, { dates, strange }: ComparedCalls, mostUnissued: number): string {
  const rows = dates.map((row) => [
    row.date,
    row.master,
    String(row.given),
    String(row.issued),
    meaningOf(paint, row, mostUnissued),
  ]);
  const parts = [
    rows.length === 0
      ? 'No kDate was given or issued.'
      : table(paint, ['date', 'master', 'given by signers', 'issued', 'what it means'], rows),
  ];
  if (strange.length > 0) {
    const named = strange
      .slice(0, MOST_NAMED)
      .map(({ at, master, want, date, given }) => [
        at,
        master,
        date === undefined ? want : `${want} ${date}`,
        String(given),
      ]);
    const rest = strange.length - named.length;
    parts.push(
      paint.red(`${strange.length} calls of signers were asked for by no master:`),
      table(paint, ['at', 'certificate of', 'wanted', 'given'], named) + (rest > 0 ? `\nand ${rest} more` : ''),
      WHAT_TO_DO,
    );
  }
  return parts.join('\n\n');
}

function meaningOf(paint: Paint, { given, issued }: ComparedCounts, mostUnissued: number): string {
  const gap = given - issued;
  if (gap === 0) return 'the same';
  if (gap < 0) return `${-gap} issued without these signers: by another keeper, or by a signer that was not asked here`;
  const text = `${gap} given and not issued: the master was stopped, or the database away, in between`;
  return gap > mostUnissued ? paint.red(`${text}; too many for that`) : text;
}
