import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { dayOfFile } from './cache-folder.js';
import type { KeyRecord } from './key-record.js';
import type { KeysInMemory } from './keys-in-memory.js';
import { blocksOf, type RecordForm } from './record-blocks.js';
import { useRecordForm, type UseRecord } from './use-record.js';
import type { RecordBlock } from './write-segment.js';

/** What memory has for a file. */
export interface FileContents {
  readonly records: number;
  readonly all: () => Iterable<RecordBlock>;
  /** The present records of these access keys; of those that memory no longer has, nothing. */
  readonly of: (accessKeyIds: Iterable<string>) => Iterable<RecordBlock>;
}

export function contentsOf(name: string, held: KeysInMemory, form: RecordForm<KeyRecord>): FileContents {
  const date = dayOfFile(name);
  if (date === undefined) {
    return {
      records: held.used.size,
      all: () => blocksOf(useRecordForm, held.used.entries()),
      of: (accessKeyIds) => blocksOf(useRecordForm, usesOf(held, accessKeyIds)),
    };
  }
  return {
    records: held.sizeOf(date),
    all: () => blocksOf(form, wipedAfterUse(held.entries(date))),
    of: (accessKeyIds) => blocksOf(form, wipedAfterUse(entriesOf(held, date, accessKeyIds))),
  };
}

function* usesOf({ used }: KeysInMemory, accessKeyIds: Iterable<string>): Iterable<UseRecord> {
  for (const accessKeyId of accessKeyIds) {
    const date = used.dayOf(accessKeyId);
    if (date !== undefined) yield { accessKeyId, date };
  }
}

function* entriesOf(held: KeysInMemory, date: ScopeDate, accessKeyIds: Iterable<string>): Iterable<KeyRecord> {
  for (const accessKeyId of accessKeyIds) {
    const record = held.copyOf(date, accessKeyId);
    if (record) yield record;
  }
}

function* wipedAfterUse(records: Iterable<KeyRecord>): Iterable<KeyRecord> {
  for (const record of records) {
    try {
      yield record;
    } finally {
      record.key.fill(0);
    }
  }
}
