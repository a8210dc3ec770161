import { ERROR_CODES, sentenceOf, type AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';
import * as signer from '@sigv4-keyd/custody-signer';
import { edgeKeysSettings } from '@sigv4-keyd/edge-keys';
import * as deputy from '@sigv4-keyd/deputy-keyd';
import * as edge from '@sigv4-keyd/edge-verifier';
import { ERRORS, SPAN_ATTRIBUTES } from '@sigv4-keyd/hop-protocol';
import * as master from '@sigv4-keyd/master-keyd';
import * as region from '@sigv4-keyd/region-keyd';
import { describeSettings, METRICS, WATCHED } from '@sigv4-keyd/service-skeleton';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { OUTAGES } from '../outages/rows.js';
import { ODD_KEYS, OPERATIONS, type ClientRow } from '../clients/operations.js';

/** The tables in the docs that are made from the code. `npm run docs` writes them; a test fails when they are stale. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  refusals: refusalsTable,
  errors: errorsTable,
  settings: settingsTables,
  'edge-keys-settings': () => settingsTable(z.object(edgeKeysSettings)),
  outages: outagesTable,
  'client-operations': clientOperationsTable,
  'client-keys': clientKeysTable,
  metrics: metricsTable,
  'span-attributes': spanAttributesTable,
};

function refusalsTable(): string {
  const rows = Object.entries(ERROR_CODES).map(([reason, [status, s3, json, query]]) => [
    `\`${reason}\``,
    String(status),
    s3,
    json,
    query,
    sentenceOf(reason as AnyRefusalReason),
  ]);
  return table(['reason', 'status', 'S3 code', 'JSON type', 'query code', 'what to do'], rows);
}

function errorsTable(): string {
  const rows = Object.entries(ERRORS).map(([code, [status, message]]) => [`\`${code}\``, String(status), message]);
  return table(['code', 'status', 'what to do'], rows);
}

function settingsTables(): string {
  const services = {
    'master-keyd': master,
    'custody-signer': signer,
    'deputy-keyd': deputy,
    'region-keyd': region,
    'edge-verifier': edge,
  };
  return Object.entries(services)
    .map(([name, { configuration }]) => `### ${name}\n\n${settingsTable(configuration)}`)
    .join('\n\n');
}

function settingsTable(schema: z.ZodObject): string {
  const rows = describeSettings(schema).map((one) => [`\`${one.variable}\``, one.fallback, one.description]);
  return table(['variable', 'default', 'what'], rows);
}

function metricsTable(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help, services }]) => {
    const told = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${values}`);
    const at = WATCHED.every((service) => services.includes(service)) ? 'all' : services.join(', ');
    return [`\`${name}\``, type, told.join('; '), help, at];
  });
  return table(['metric', 'type', 'labels', 'what', 'services'], rows);
}

function spanAttributesTable(): string {
  return table(
    ['attribute', 'what'],
    Object.entries(SPAN_ATTRIBUTES).map(([name, what]) => [`\`${name}\``, what]),
  );
}

function clientOperationsTable(): string {
  const rows = clientRows().map(([name, { operations }]) => [name, ...OPERATIONS.map((one) => operations[one])]);
  return table(['client', ...OPERATIONS], rows);
}

function clientKeysTable(): string {
  const rows = clientRows().map(([name, { keys }]) => [name, ...ODD_KEYS.map((key) => keys[key] ?? 'not offered')]);
  const named = ODD_KEYS.map((key) => (key.length > 20 ? `${key.length} letters` : `\`${key}\``));
  return table(['client', ...named], rows);
}

function clientRows(): readonly (readonly [string, ClientRow])[] {
  const matrix = JSON.parse(readFileSync('test/clients.json', 'utf8')) as Record<string, ClientRow>;
  return Object.entries(matrix).sort(([a], [b]) => (a < b ? -1 : 1));
}

function outagesTable(): string {
  const rows = Object.values(OUTAGES).map(({ down, held, unheld, changes }) => [down, held, unheld, changes]);
  return table(
    ['down', 'requests with access keys that are held', 'access keys not held yet', "an operator's changes"],
    rows,
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** The text with every generated part made anew. Throws for a part that nobody makes. */
export function withGenerated(text: string): string {
  return text.replace(/<!-- generated: ([a-z-]+) -->\n[\s\S]*?<!-- end -->/g, (_all, name: string) => {
    const make = GENERATED[name];
    if (!make) throw new Error(`nothing makes the part ${name}`);
    return `<!-- generated: ${name} -->\n${make()}\n<!-- end -->`;
  });
}
