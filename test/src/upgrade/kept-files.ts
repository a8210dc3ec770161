import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readGrants, storeGrants } from '@sigv4-keyd/deputy-keyd';
import { relayedBatch, rollupBatch } from '@sigv4-keyd/hop-protocol';
import {
  CheckpointMemory,
  issuanceRecordForm,
  openCheckpoint,
  openJournal,
  parseVerifierKey,
} from '@sigv4-keyd/ledger';
import { BatchBuffer, cacheSecretOf, createLogger } from '@sigv4-keyd/service-skeleton';
import type { z } from 'zod';
import { EDGE, heldOf, hold, openCache } from '../key-cache/cache-under-test.js';
import { fixedPrivateKey } from './fixed-keys.js';
import { BATCH, GRANTS, RELAYED } from './messages.js';
import { DATE, IDS, LOG_ORIGIN, sampleRecord, wireForms } from './wire-forms.js';

/** What tiers keep in their state folders: content of files, base64, by their path. */
export type KeptFiles = Readonly<Record<string, string>>;

const CACHE = 'key-cache/service-keys';
const JOURNAL = 'journal';
const CHECKPOINT = 'ledger-checkpoint';
const EDGE_ROLLUPS = 'edge/rollups';
const REGION_ROLLUPS = 'region/rollups';
const LOG = createLogger({ service: 'kept-files', level: 'silent' });

/** Has today's code keep one of everything in the folder. */
export async function keepAll(folder: string): Promise<void> {
  const cache = await cacheIn(folder);
  hold(cache, DATE, ...IDS);
  await cache.cache.close();
  const journal = await journalIn(folder);
  for (const record of RECORDS) await journal.append(record);
  await journal.close();
  await (await bufferIn(folder, EDGE_ROLLUPS, rollupBatch)).put(BATCH);
  await (await bufferIn(folder, REGION_ROLLUPS, relayedBatch)).put(RELAYED);
  await storeGrants(folder, GRANTS);
  const forms = await wireForms();
  const log = { origin: LOG_ORIGIN, verifiers: [parseVerifierKey(forms['key of the log'] ?? '')] };
  const memory = new CheckpointMemory(LOG_ORIGIN);
  memory.accept(openCheckpoint(forms['checkpoint'] ?? '', log), []);
  writeFileSync(join(folder, CHECKPOINT), memory.serialise());
}

/** All that is read back of a folder, as it is compared. */
export async function readAll(folder: string): Promise<Readonly<Record<string, unknown>>> {
  const cache = await cacheIn(folder);
  const journal = await journalIn(folder);
  const records = [];
  for await (const { record } of journal.readFrom(1)) records.push(record);
  await journal.close();
  return {
    [CACHE]: heldOf(cache, DATE),
    [JOURNAL]: records,
    [EDGE_ROLLUPS]: (await (await bufferIn(folder, EDGE_ROLLUPS, rollupBatch)).oldest())?.entries,
    [REGION_ROLLUPS]: (await (await bufferIn(folder, REGION_ROLLUPS, relayedBatch)).oldest())?.entries,
    grants: await readGrants(folder),
    [CHECKPOINT]: CheckpointMemory.restore(LOG_ORIGIN, readFileSync(join(folder, CHECKPOINT), 'utf8')).newest?.size,
  };
}

const RECORDS = [sampleRecord(), sampleRecord(['AKIAFOUR'])];

/** What `readAll` has to find of what `keepAll` kept. */
export const KEPT: Readonly<Record<string, unknown>> = {
  [CACHE]: [...IDS].sort(),
  [JOURNAL]: RECORDS,
  [EDGE_ROLLUPS]: [BATCH],
  [REGION_ROLLUPS]: [RELAYED],
  grants: GRANTS,
  [CHECKPOINT]: 1,
};

/** Of the files, what is the same each time that it is written: names of batches and sealed files are not. */
export function comparableOf(files: KeptFiles): readonly (readonly [path: string, content: string])[] {
  return Object.entries(files)
    .filter(([path]) => !path.startsWith(CACHE))
    .map(([path, content]) => [path.endsWith('.ndjson') ? dirname(path) : path, content] as const)
    .sort();
}

export function filesIn(folder: string): KeptFiles {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'base64')]));
}

export function placeFiles(files: KeptFiles, folder: string): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content, 'base64');
  }
}

/** The folder is given: nothing of it is to be torn down. */
const NO_TEST = { teardown: () => undefined };

function cacheIn(folder: string) {
  const pem = fixedPrivateKey('ed25519', 4).export({ format: 'pem', type: 'pkcs8' });
  return openCache(NO_TEST, { folder: join(folder, CACHE), secret: cacheSecretOf(Buffer.from(pem), EDGE) });
}

function journalIn(folder: string) {
  return openJournal({ folder: join(folder, JOURNAL), form: issuanceRecordForm, createId: () => 'a-journal' });
}

function bufferIn<Entry>(folder: string, name: string, entry: z.ZodType<Entry>): Promise<BatchBuffer<Entry>> {
  return BatchBuffer.open({ folder: join(folder, name), entry, mostBytes: 1_000_000, mostTogether: 1, log: LOG });
}
