import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

const outlived = new Set<string>();

/** An empty folder for what a service keeps, gone after the tests. Not the test's own, which each testdir() empties. */
export function newStateFolder(t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyd-state-'));
  // The last to be registered is the first to be torn down: the service that writes here may be closed after this.
  t.teardown(() => removeAtExit(folder));
  return folder;
}

function removeAtExit(folder: string): void {
  if (outlived.size === 0) process.once('exit', removeAll);
  outlived.add(folder);
}

function removeAll(): void {
  for (const folder of outlived) rmSync(folder, { recursive: true, force: true });
}
