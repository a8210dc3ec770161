import { ERRORS, KeydError, PeerRefusal, type ErrorAnswer, type ErrorCode } from '@sigv4-keyd/hop-protocol';
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import type { HopMeter } from './metrics/hop-meter.js';
import type { MtlsApp } from './mtls-app.js';

/** Every answer that is not a success has one form, with one of the closed set of codes. */
export function answerErrorsUniformly(app: MtlsApp, meter?: Pick<HopMeter, 'failed'>): void {
  app.setErrorHandler((error: FastifyError | KeydError, request, reply) => {
    const { code, detail } = classify(error);
    const status = ERRORS[code][0];
    meter?.failed(request, code);
    if (status >= 500) request.log.error({ err: error }, code);
    else request.log.info({ err: { message: error.message }, detail }, code);
    const retryAfter = error instanceof KeydError ? error.retryAfterSeconds : undefined;
    if (retryAfter !== undefined && status === 429) reply.header('retry-after', String(retryAfter));
    return reply.code(status).send(errorAnswerOf(code, request.id, detail));
  });
  app.setNotFoundHandler((request, reply) => {
    meter?.failed(request, 'not-found');
    const detail = `no route ${request.method} ${request.url.split('?')[0] ?? ''}`;
    return reply.code(404).send(errorAnswerOf('not-found', request.id, detail));
  });
}

function errorAnswerOf(code: ErrorCode, requestId: string, detail: string | undefined): ErrorAnswer {
  return { error: { code, message: ERRORS[code][1], ...(detail !== undefined && { detail }), requestId } };
}

function classify(error: FastifyError | KeydError): { readonly code: ErrorCode; readonly detail?: string | undefined } {
  // What the tier above refuses us is our trouble: told as it came, it would seem to be the asker's own.
  if (error instanceof PeerRefusal && error.statusCode < 500) return { code: 'parent-unavailable' };
  if (error instanceof KeydError) return { code: error.code, detail: error.detail };
  if (hasZodFastifySchemaValidationErrors(error)) {
    const parts = error.validation.map(
      ({ instancePath, message }) => `${instancePath || 'body'}: ${message ?? 'refused'}`,
    );
    return { code: 'malformed-request', detail: parts.slice(0, 5).join('; ') };
  }
  if (isResponseSerializationError(error)) return { code: 'internal-error' };
  if (error.statusCode === 413) return { code: 'too-large' };
  if (error.statusCode === 401) return { code: 'not-authenticated', detail: error.message };
  if (error.code === 'FST_MTLS_IDENTITY_REFUSED') return { code: 'identity-banned' };
  if (error.statusCode === 403) return { code: 'role-not-allowed', detail: error.message };
  if (error.statusCode === 429) return { code: 'too-many-requests' };
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return { code: 'malformed-request', detail: error.code };
  }
  return { code: 'internal-error' };
}
