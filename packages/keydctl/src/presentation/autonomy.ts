import type { KeyGauges, StatusAnswer } from '@sigv4-keyd/hop-protocol';
import type { Paint } from '../command-line/outcome.js';
import { span } from './age.js';
import { table } from './table.js';

/** Less than this is little time to mend what is down, seconds. */
const SHORT_SECONDS = 3_600;

/** For how long each tier below the master can go on by itself, and whether it is prepared for tomorrow. */
export function autonomyText(paint: Paint, status: StatusAnswer): string | undefined {
  const rows = status.regions.flatMap((region) => [
    ...rowsOf(paint, region.spiffeId, region.report?.keys),
    ...region.edges.flatMap((edge) => rowsOf(paint, edge.spiffeId, edge.report.keys)),
  ]);
  return rows.length === 0 ? undefined : table(paint, ['tier', 'goes on alone', 'keys', 'memory', 'tomorrow'], rows);
}

function rowsOf(paint: Paint, spiffeId: string, gauges: KeyGauges | undefined): string[][] {
  if (!gauges) return [];
  const { autonomySeconds, keysHeld, memoryBytes, prefetchLag } = gauges;
  const alone = span(autonomySeconds * 1_000);
  return [
    [
      spiffeId.replace(/^spiffe:\/\/[^/]*/, ''),
      autonomySeconds < SHORT_SECONDS ? paint.red(alone) : alone,
      String(keysHeld),
      `${(memoryBytes / 1024 ** 2).toFixed(1)} MiB`,
      prefetchLag.accessKeys === 0
        ? 'nothing missing'
        : paint.red(`${prefetchLag.accessKeys} missing for ${span(prefetchLag.seconds * 1_000)}`),
    ],
  ];
}
