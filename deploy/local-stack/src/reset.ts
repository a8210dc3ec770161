#!/usr/bin/env node
import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeEmbeddedPostgres } from './embedded-postgres.js';
import { readResetOptions } from './options.js';
import { runningHolder } from './run-lock.js';
import { StackError } from './stack-error.js';
import { stateFolder } from './state-folder.js';

async function reset(dir: string): Promise<string> {
  const state = stateFolder(dir);
  const pid = await runningHolder(state.lock);
  if (pid !== undefined) throw new StackError(`a stack runs on ${state.folder} (process ${pid}); stop it first`);
  if (!(await isThere(state.folder))) return `There is no state in ${state.folder}`;
  // A folder named by mistake is not removed.
  if (!(await isThere(state.logs)))
    throw new StackError(`${state.folder} is no state folder of the stack; nothing was removed`);
  await removeEmbeddedPostgres(join(state.postgres));
  await rm(state.folder, { recursive: true, force: true });
  return `Removed ${state.folder}`;
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

try {
  const options = readResetOptions(process.argv.slice(2));
  if (options !== undefined) process.stdout.write(`${await reset(options.dir)}\n`);
} catch (error) {
  if (!(error instanceof StackError)) throw error;
  process.stderr.write(`npm run reset: ${error.message}\n`);
  process.exitCode = 1;
}
