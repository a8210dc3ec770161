import type { FastifyBaseLogger } from 'fastify';
import { pino, type DestinationStream } from 'pino';

/** What is written to: a logger of pino, or what a Fastify app has for one. */
export type Logger = FastifyBaseLogger;

/**
 * The log of a service. Whatever code passes in, these never come out: they are or may contain keys, secrets or
 * signatures. URLs are logged without their query, since a presigned query is a bearer credential.
 */
const NEVER_LOGGED = [
  'authorization',
  'secretAccessKey',
  'secret',
  'key',
  'keys',
  'signature',
  'password',
  'connectionString',
  'sessionToken',
  'x-amz-security-token',
].flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

export function createLogger(options: {
  readonly service: string;
  readonly level: string;
  readonly destination?: DestinationStream;
}): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: NEVER_LOGGED, censor: '[not logged]' },
    },
    options.destination ?? process.stdout,
  );
}

/** The path of a request target without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
