#!/usr/bin/env node
import { CommandError, whenNpmEnds } from '@sigv4-keyd/keydctl';
import { EmbeddedPostgresError } from './embedded-postgres.js';
import { readStartOptions, type StartOptions } from './options.js';
import { createProgress } from './progress.js';
import { readyLines } from './ready-lines.js';
import { runStack } from './run-stack.js';
import { StackError } from './stack-error.js';
import type { StackFacts } from './stack-facts.js';

async function start({ dir, portBase, json }: StartOptions): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  whenNpmEnds(process.env, () => stopping.abort());
  // Whoever reads the JSON may end; the stack is not theirs alone.
  process.stdout.on('error', () => undefined);
  const progressStream = json ? process.stderr : process.stdout;
  const progress = createProgress({ stream: progressStream, isTerminal: progressStream.isTTY });
  const databaseUrl = process.env['DATABASE_URL'];
  await runStack(
    { dir, portBase, ...(databaseUrl !== undefined && databaseUrl !== '' && { databaseUrl }) },
    { progress, signal: stopping.signal, onReady: (facts) => announce(facts, json) },
  );
}

function announce(facts: StackFacts, json: boolean): void {
  process.stdout.write(`${json ? JSON.stringify(facts) : readyLines(facts, process.stdout.isTTY)}\n`);
}

function explain(error: unknown): string {
  const isExplained =
    error instanceof StackError || error instanceof EmbeddedPostgresError || error instanceof CommandError;
  if (isExplained) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  const options = readStartOptions(process.argv.slice(2));
  if (options !== undefined) await start(options);
} catch (error) {
  process.stderr.write(`npm start: ${explain(error)}\n`);
  process.exitCode = 1;
}
