import { randomUUID } from 'node:crypto';
import {
  CONSOLE_HEADER,
  CONSOLE_PATH,
  CONSOLE_SESSION_PATH,
  PAGE_HEADERS,
  whyRefused,
  type ConsoleFile,
} from '@sigv4-keyd/console';
import {
  banRequest,
  BANS_PATH,
  INCIDENT_REPORT_PATH,
  incidentQuery,
  KeydError,
  LIFTS_PATH,
  OVERVIEW_PATH,
  revocationRequest,
  REVOCATIONS_PATH,
  submitLift,
  unbanQuery,
} from '@sigv4-keyd/hop-protocol';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { MasterClient } from '../master/master-client.js';
import type { ConsoleSession } from './console-session.js';
import { cookieIn, sessionCookie } from './session-cookie.js';

type AskedOfMaster = Pick<
  MasterClient,
  'overview' | 'revocations' | 'revoke' | 'lift' | 'ban' | 'unban' | 'incidentReport'
>;

export interface ConsoleAppOptions {
  readonly files: readonly ConsoleFile[];
  readonly master: AskedOfMaster;
  readonly session: ConsoleSession;
  /** HOST:PORT of the link; no other Host is answered. */
  readonly host: () => string;
  /** Called for every request of the session. */
  readonly onUse: () => void;
}

const LARGEST_BODY = 16 * 1024;
const sessionRequest = z.strictObject({ token: z.string().max(256) });

/** Refused here, before the master was asked. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** What the browser of the operator sees: the page, and the few questions of it that are handed on to the master. */
export function createConsoleApp({ files, master, session, host, onUse }: ConsoleAppOptions): FastifyInstance {
  const app = Fastify({ bodyLimit: LARGEST_BODY, forceCloseConnections: true });
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler((error, _request, reply) => {
    const { status, ...told } = answerOf(error);
    return reply.code(status).send({ error: { ...told, requestId: randomUUID() } });
  });
  app.setNotFoundHandler(() => {
    throw new Refusal(404, 'not-found', `There is nothing here; the console is at ${CONSOLE_PATH}.`);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(PAGE_HEADERS);
    const problem = whyRefused(request, { scheme: 'http', isOwnHost: (given) => given === host() });
    done(
      problem === undefined
        ? undefined
        : new Refusal(403, 'cross-site', `Only the console itself is served: ${problem}.`),
    );
  });

  for (const { path, type, body } of files) app.get(path, (_request, reply) => reply.type(type).send(body));

  app.post(CONSOLE_SESSION_PATH, (request, reply) => {
    const opened = session.open(read(sessionRequest, request.body).token);
    if (opened === undefined) {
      throw new Refusal(
        403,
        'link-used',
        'This link is not good, or no longer: start keydctl console again for another.',
      );
    }
    onUse();
    return reply.header('set-cookie', sessionCookie(host(), opened.cookie)).send({ session: opened.page });
  });

  // All below is for the session of the link.
  void app.register((asked, _options, done) => {
    asked.addHook('onRequest', (request, _reply, next) => {
      const page = request.headers[CONSOLE_HEADER];
      const cookie = cookieIn(request.headers.cookie, host());
      const isOpen = typeof page === 'string' && session.isOpen({ cookie, page });
      if (isOpen) onUse();
      next(
        isOpen
          ? undefined
          : new Refusal(401, 'no-session', 'Open the console by the link that keydctl console has printed.'),
      );
    });
    asked.get(OVERVIEW_PATH, () => master.overview());
    asked.get(REVOCATIONS_PATH, () => master.revocations());
    asked.post(REVOCATIONS_PATH, ({ body }) => master.revoke(read(revocationRequest, body)));
    asked.post(LIFTS_PATH, ({ body }) => master.lift(read(submitLift, body).jws));
    asked.post(BANS_PATH, ({ body }) => {
      const { spiffeId, reason } = read(banRequest, body);
      return master.ban(spiffeId, reason);
    });
    asked.delete(BANS_PATH, ({ query }) => master.unban(read(unbanQuery, query).spiffeId));
    asked.get(INCIDENT_REPORT_PATH, ({ query }) => master.incidentReport(read(incidentQuery, query)));
    done();
  });
  return app;
}

function read<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(' '));
  throw new Refusal(400, 'malformed-request', `The request does not have the right form: ${problems.join('; ')}.`);
}

interface ErrorFacts {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
}

function answerOf(error: unknown): ErrorFacts {
  if (error instanceof Refusal) return { status: error.status, code: error.code, message: error.message };
  if (error instanceof KeydError) {
    const { statusCode: status, code, message, detail } = error;
    return { status, code, message, ...(detail !== undefined && { detail }) };
  }
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number' && status < 500) {
    return { status, code: 'malformed-request', message: 'The request does not have the form that this takes.' };
  }
  return { status: 500, code: 'internal-error', message: 'An unexpected error in keydctl; report it.' };
}
