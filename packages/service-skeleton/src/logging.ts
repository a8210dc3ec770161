import type { FastifyBaseLogger } from 'fastify';
import { pino, type DestinationStream } from 'pino';
import { isoTimes } from './iso-times.js';
import { standardOutput } from './log-lines.js';
import { traceIds } from './tracing/trace-ids.js';
import { CENSORED, NEVER_LOGGED, withoutNestedSecrets } from './withheld.js';

/** What is written to: a logger of pino, or what a Fastify app has for one. */
export type Logger = FastifyBaseLogger;

/**
 * The log of a service. Whatever code passes in, what is named in NEVER_LOGGED never comes out. URLs are logged without
 * their query, since a presigned query is a bearer credential.
 */
export function createLogger(options: {
  readonly service: string;
  readonly level: string;
  /** Whether lines say to which trace they belong. */
  readonly isTraced?: boolean;
  /** Absent: standard output, each line when the call returns. */
  readonly destination?: DestinationStream;
}): Logger {
  const isoTime = isoTimes();
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: () => `,"time":"${isoTime(Date.now())}"`,
      ...(options.isTraced && { mixin: () => ({ ...traceIds() }) }),
      formatters: { level: (label) => ({ level: label }), log: withoutNestedSecrets },
      // Names at the top alone: a pattern with a wildcard would have every value of every line looked at.
      redact: { paths: NEVER_LOGGED.map((name) => `["${name}"]`), censor: CENSORED },
    },
    options.destination ?? standardOutput(),
  );
}

/** The path of a request target without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
