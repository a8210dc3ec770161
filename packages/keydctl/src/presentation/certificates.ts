import type { CertificateDescription } from '@sigv4-keyd/pki';
import type { Paint } from '../command-line/outcome.js';
import { shortInstant } from './age.js';
import { table } from './table.js';

const SOON_DAYS = 14;

/** What a folder holds, and below it what is wrong with it. */
export function certificateTable(paint: Paint, files: readonly CertificateDescription[]): string {
  if (files.length === 0) return 'No certificates, requests or keys. Begin with: keydctl pki init --trust-domain NAME';
  const rows = files.map((found) => [
    found.file,
    found.kind,
    found.spiffeId ?? '-',
    [...found.dnsNames, ...found.ipAddresses].join(', ') || '-',
    found.notAfter === undefined ? '-' : shortInstant(found.notAfter),
    daysLeft(paint, found.daysLeft),
    found.problems.length === 0 ? paint.green('ok') : paint.red(found.problems.map(({ code }) => code).join(', ')),
  ]);
  const problems = files.flatMap(({ file, problems: found }) => found.map(({ text }) => `${file}: ${text}`));
  const headings = ['file', 'kind', 'identity', 'host names', 'good until', 'days left', 'state'];
  return [table(paint, headings, rows), ...(problems.length === 0 ? [] : [problems.join('\n')])].join('\n\n');
}

function daysLeft(paint: Paint, days: number | undefined): string {
  if (days === undefined) return '-';
  return days >= SOON_DAYS ? String(days) : paint.yellow(String(days));
}
