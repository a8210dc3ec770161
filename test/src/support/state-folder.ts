import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** An empty folder for what a service keeps, gone after the test. Not the test's own, which each testdir() empties. */
export function newStateFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-state-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
