import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** An empty folder for what a service keeps, gone after the test. Not the test's own, which each testdir() empties. */
export function newStateFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-state-'));
  // What a tier was writing when it was told to end may come to its end a moment later.
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}
