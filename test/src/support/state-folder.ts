import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** An empty folder for what a service keeps, gone after the test. Not the test's own, which each testdir() empties. */
export function newStateFolder(t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-state-'));
  // Without retries: a service that has closed writes nothing any more.
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
