import type { Accepted } from '@sigv4-keyd/sigv4-core';
import type { FastifyPluginCallback } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Sigv4Options } from './options.js';
import { Verifier } from './verifier.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who signed the request, and for which scope. */
    sigv4: Accepted;
  }
}

const plugin: FastifyPluginCallback<Sigv4Options> = (app, options, done) => {
  const verifier = new Verifier({
    ...options,
    onRefused: (refusal, requestId) => {
      app.log.info({ reason: refusal.reason, detail: refusal.detail, err: refusal.cause, reqId: requestId }, 'refused');
      options.onRefused?.(refusal, requestId);
    },
  });
  app.decorateRequest('sigv4');
  // The first hook there is: what comes after it, parsers and validation among them, sees verified requests only.
  app.addHook('onRequest', async (request, reply) => {
    const outcome = await verifier.verify(request.raw, request.originalUrl, request.id);
    if (outcome === 'client-gone') return reply.hijack();
    if (!('reason' in outcome)) {
      request.sigv4 = outcome;
      return undefined;
    }
    const { status, headers, body } = verifier.answer(outcome, request.id);
    for (let at = 0; at < headers.length; at += 2) reply.header(headers[at] ?? '', headers[at + 1]);
    return reply.code(status).send(body);
  });
  done();
};

/** Signature Version 4 for Fastify: every request of the instance, and of those below it, is verified first. */
export const fastifySigv4 = fastifyPlugin(plugin, { name: 'fastify-sigv4', fastify: '5.x' });
