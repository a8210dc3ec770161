import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Tracer } from '@opentelemetry/api';
import { fastifyMtls, serverTlsOptions, type CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import { identityOf, type Identity } from '@sigv4-keyd/hop-protocol';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { answerErrorsUniformly } from './error-answer.js';
import { pathOf, type Logger } from './logging.js';
import type { HopMeter } from './metrics/hop-meter.js';
import { readyRoute } from './ready-route.js';
import { traceRequests } from './tracing/traced-requests.js';

declare module '@sigv4-keyd/fastify-mtls' {
  interface FastifyMtlsTypes {
    identity: Identity;
  }
}

export interface MtlsAppOptions {
  readonly credentials: CredentialsStore;
  readonly trustDomain: string;
  readonly log: Logger;
  /** Why an identity is not served at present, asked at every request. */
  readonly isRefused?: (identity: Identity) => string | undefined;
  /** Why it cannot do its work now, in words; empty when it can. Absent: it always can. */
  readonly notReady?: () => readonly string[];
  /** Counts what is answered. */
  readonly meter?: HopMeter;
  /** Absent: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** The largest body of a request, bytes. */
  readonly bodyLimit?: number;
}

/** A listener whose routes are typed by their zod schemas, with `request.peer`. */
export type MtlsApp = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

const DEFAULT_BODY_LIMIT = 2 * 1024 * 1024;
const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;

/** The listener of a tier for the tier below and for operators: mTLS, one form of messages, one form of errors. */
export async function createMtlsApp(options: MtlsAppOptions): Promise<MtlsApp> {
  const loggerInstance: FastifyBaseLogger = options.log;
  const app: MtlsApp = Fastify({
    https: { ...serverTlsOptions(options.credentials.current) },
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: options.bodyLimit ?? DEFAULT_BODY_LIMIT,
    // A request id crosses the tiers, so that one request can be followed through all logs.
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    // The longest access key id, which stands in the paths of operators.
    routerOptions: { maxParamLength: 128 },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerErrorsUniformly(app, options.meter);
  if (options.tracer) traceRequests(app, options.tracer);
  await app.register(fastifyMtls, {
    trustDomain: options.trustDomain,
    parseIdentity: identityOf,
    credentials: options.credentials,
    ...(options.isRefused && { isRefused: options.isRefused }),
  });
  endConnectionsOnClose(app);
  readyRoute(app, options.notReady ?? (() => []));
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url } = request;
    const line = {
      method,
      path: pathOf(url),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    request.log.debug(line, 'answered');
    options.meter?.answered(request, reply.elapsedTime / 1000);
    done();
  });
  return app;
}

/** Connections that are idle when the app closes end then; the others end with the answer that they wait for. */
function endConnectionsOnClose(app: MtlsApp): void {
  let isClosing = false;
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing) reply.header('connection', 'close');
    done(null, payload);
  });
}
