#!/usr/bin/env node
import { join } from 'node:path';
import { spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import { CommandError, feedKeysFolder, withMaster } from '@sigv4-keyd/keydctl';
import { OPERATOR } from './certificates.js';
import { readTourOptions, type TourOptions } from './options.js';
import { StackError } from './stack-error.js';
import { readTourFacts } from './tour/tour-facts.js';
import { Stage } from './tour/stage.js';
import { startTelling } from './tour/telling.js';
import { tellStory } from './tour/story.js';

/** Resolves to whether everything was as told. */
async function tour({ dir, json }: TourOptions): Promise<boolean> {
  const stack = await readTourFacts(dir);
  const now = (): number => Date.now();
  const telling = startTelling(json ? undefined : process.stdout, process.stdout.isTTY);
  const inFolder = (name: string): string => join(stack.credentials, name);
  const files = { cert: inFolder('tls.crt'), key: inFolder('tls.key'), ca: inFolder('ca.crt') };
  const rootKey = feedKeysFolder(stack.feedKeys).root;
  await withMaster({ url: new URL(stack.master.url), files }, now(), (master) =>
    tellStory({ stage: new Stage(stack, now), master, telling, operator: spiffeIdOf(OPERATOR), rootKey, now }),
  );
  const { isAsTold, chapters } = telling;
  if (json) process.stdout.write(`${JSON.stringify({ isAsTold, chapters }, undefined, 2)}\n`);
  else process.stdout.write(isAsTold ? '\nEverything was as told.\n' : '\nNot everything was as told: see ✗ above.\n');
  return isAsTold;
}

function explain(error: unknown): string {
  if (error instanceof StackError || error instanceof CommandError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  const options = readTourOptions(process.argv.slice(2));
  if (options !== undefined && !(await tour(options))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`npm run tour: ${explain(error)}\n`);
  process.exitCode = 1;
}
