import { systemClock, type Clock } from '@sigv4-keyd/hop-protocol';
import type { z } from 'zod';
import { ConfigurationError, describeSettings, readConfiguration, type Environment } from './configuration.js';
import { linesOfProcess, type AwaitedLines } from './log-lines.js';
import { createLogger, type Logger } from './logging.js';
import { watchProcess, type ProcessMetrics } from './metrics/process-metrics.js';
import { confine, neededAccess, permissionOptions } from './confinement/index.js';
import { limitExposure, requireNoExposure } from './memory-exposure.js';
import { nodeOptions } from './node-options.js';
import { ArgumentError, serviceArgument } from './service-argument.js';
import { StartError } from './start-error.js';

/** A service that runs: where it answers and how it ends. */
export interface RunningService {
  readonly addresses: Readonly<Record<string, string>>;
  close(): Promise<void>;
  /** Called on SIGHUP: read certificates and other files again. */
  reload(): Promise<unknown>;
}

export interface ServiceContext {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of `log`, for whoever goes on behind its line. Absent: each is written at once. */
  readonly lines?: AwaitedLines;
  /** A number from 0 up to 1, for jitter. */
  readonly random?: () => number;
  /** Rings the ends of waits for the network, which lives in real time whatever `clock` says. Absent: the system's. */
  readonly timer?: Clock;
  /** What the configuration was read from, for processes of the service's own. Absent: it may start none. */
  readonly environment?: Environment;
  /** Begins to watch the process for its metrics. Absent: the process belongs to somebody else. */
  readonly watchProcess?: () => ProcessMetrics;
}

export interface ServiceProgram<Schema extends z.ZodObject> {
  readonly name: string;
  readonly summary: string;
  readonly configuration: Schema;
  readonly start: (configuration: z.output<Schema>, context: ServiceContext) => Promise<RunningService>;
}

/** How long a service may take to finish what it has begun, milliseconds. */
const LONGEST_STOP_MS = 10_000;

/** The whole life of a service process: arguments, configuration, start, signals, stop. */
export async function runService<Schema extends z.ZodObject>(program: ServiceProgram<Schema>): Promise<void> {
  try {
    const argument = serviceArgument(process.argv.slice(2));
    if (argument === '--help') {
      process.stdout.write(helpOf(program));
      return;
    }
    const configuration = readConfiguration(program.configuration, process.env);
    const permitted = permissionOptions(neededAccess(program.configuration, process.env));
    if (argument === '--node-options') {
      process.stdout.write(`${permitted.join('\n')}\n`);
      return;
    }
    if (argument === '--check') {
      process.stdout.write(`${program.name}: the configuration is complete\n`);
      return;
    }
    const level = typeof configuration['logLevel'] === 'string' ? configuration['logLevel'] : 'info';
    const isTraced = configuration['tracesEndpoint'] !== undefined;
    const lines = linesOfProcess();
    const log = createLogger({ service: program.name, level, isTraced, destination: lines });
    requireNoExposure(nodeOptions());
    if (argument === '--confined') confine(permitted);
    limitExposure(log);
    const service = await program.start(configuration, {
      clock: systemClock,
      log,
      lines,
      watchProcess,
      environment: process.env,
    });
    stopOnSignals(service, log);
    log.info({ addresses: service.addresses }, 'started');
  } catch (error) {
    process.exitCode = explain(program.name, error);
  }
}

function stopOnSignals(service: RunningService, log: Logger): void {
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.error('did not stop in time');
      process.exit(1);
    }, LONGEST_STOP_MS).unref();
    service.close().then(
      () => {
        log.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ err: error }, 'stopped with an error');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('SIGINT', () => stop('SIGINT'));
  process.on('SIGHUP', () => {
    service.reload().catch((error: unknown) => log.error({ err: error }, 'reload failed; the old files stay in use'));
  });
}

function explain(name: string, error: unknown): number {
  if (error instanceof ArgumentError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    return 64;
  }
  if (error instanceof ConfigurationError) {
    const lines = error.problems.map((problem) => `  - ${problem}\n`).join('');
    process.stderr.write(`${name}: ${error.message}:\n${lines}Run with --help to see every setting.\n`);
    return 78;
  }
  if (error instanceof StartError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `${name}: unexpected failure at start\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}

function helpOf(program: {
  readonly name: string;
  readonly summary: string;
  readonly configuration: z.ZodObject;
}): string {
  const rows = describeSettings(program.configuration);
  const width = Math.max(...rows.map(({ variable }) => variable.length));
  const lines = rows.map(
    ({ variable, fallback, description }) => `  ${variable.padEnd(width)}  ${description} [${fallback}]`,
  );
  return [
    `${program.name}: ${program.summary}`,
    '',
    `Usage: ${program.name} [--check | --confined | --node-options | --help]`,
    '',
    '  --check         says whether the configuration is complete',
    '  --confined      runs under the permission model of Node.js (23.11 or later), with what its configuration names',
    '  --node-options  prints the options of Node.js that do the same',
    '',
    'Settings are environment variables; NAME_FILE names a file that holds the value:',
    ...lines,
    '',
  ].join('\n');
}
