import { identityHeaders, TELLINGS } from '@sigv4-keyd/edge-verifier';
import { ERROR_CODES, FRONT_REFUSALS, sentenceOf, type AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';
import { REFUSALS, type Accepted } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { day } from '../support/days.js';
import { jsonSchemaOf, type OpenApi, type Operation } from './openapi.js';

/** A front of an edge, which takes every target of every method. */
export type FrontName = 'proxy' | 'forward-auth';

/** Reasons that one front has and the other has not. */
const FORWARD_AUTH_ONLY: readonly AnyRefusalReason[] = [
  'missing-original-request',
  'ambiguous-original-request',
  'reserved-header',
  'body-not-seen',
];
const PROXY_ONLY: readonly AnyRefusalReason[] = ['upstream-unreachable', 'upstream-failed', 'upstream-timeout'];

const SERVERS = {
  proxy: [
    { url: 'http://127.0.0.1:8080', description: 'KEYD_PROXY_LISTEN: behind a load balancer only' },
    { url: 'https://localhost:8444', description: 'KEYD_PROXY_TLS_LISTEN' },
  ],
  'forward-auth': [{ url: 'http://127.0.0.1:8082', description: 'KEYD_FORWARD_AUTH_LISTEN: for the front alone' }],
} as const;

const METHODS = ['get', 'head', 'put', 'post', 'delete', 'options', 'patch'] as const;

/** What a request that was accepted is said to be; with all that can be said. */
const IDENTITY: readonly string[] = namesOf(
  identityHeaders(sampleAccepted(), 'UNSIGNED-PAYLOAD', '00000000-0000-4000-8000-000000000000'),
);

/** The reasons that a front can refuse for. */
export function reasonsOf(front: FrontName): readonly AnyRefusalReason[] {
  const others = front === 'proxy' ? FORWARD_AUTH_ONLY : PROXY_ONLY;
  const all = Object.keys({ ...REFUSALS, ...FRONT_REFUSALS }) as AnyRefusalReason[];
  return all.filter((reason) => !others.includes(reason));
}

/** The OpenAPI document of a front, from the tables that answers are made by. */
export function frontDocument(front: FrontName, version: string): OpenApi {
  const operation = (method: string): Operation => ({
    operationId: `${method}By${front === 'proxy' ? 'Proxy' : 'ForwardAuth'}`,
    summary:
      front === 'proxy'
        ? 'verified, and sent to the upstream as it came; the upstream answers'
        : 'whether the original request, of which the front tells, may pass',
    security: [{ authorization: [] }, { presigned: [] }],
    responses: { ...acceptedBy(front), ...refusedBy(front) },
    ...(front === 'forward-auth' && { parameters: originalHeaders() }),
    ...(front === 'proxy' && { 'x-sent-to-upstream': IDENTITY }),
  });
  return {
    openapi: '3.1.1',
    info: { title: `edge-verifier: ${front}`, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: SERVERS[front],
    paths: {
      '/{target}': {
        ...Object.fromEntries(METHODS.map((method) => [method, operation(method)])),
        parameters: [TARGET],
      } as unknown as OpenApi['paths'][string],
    },
    components: { securitySchemes: SIGNATURES },
  };
}

const TARGET = {
  name: 'target',
  in: 'path',
  required: true,
  description: 'Any path, with slashes, and any query: what was signed are the bytes as they came.',
  schema: { type: 'string' },
};

const SIGNATURES = {
  authorization: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'AWS4-HMAC-SHA256 or AWS4-ECDSA-P256-SHA256, as KEYD_ALGORITHMS allows, with x-amz-date',
  },
  presigned: {
    type: 'apiKey',
    in: 'query',
    name: 'X-Amz-Signature',
    description: 'A presigned URL, where KEYD_PRESIGNED allows it, with the other X-Amz- parameters',
  },
};

function acceptedBy(front: FrontName): Operation['responses'] {
  if (front === 'proxy') return { default: { description: 'what the upstream answered, with x-amz-request-id added' } };
  return { '204': { description: 'it may pass, and who it is', headers: textHeaders(IDENTITY) } };
}

function refusedBy(front: FrontName): Operation['responses'] {
  const byStatus = new Map<string, AnyRefusalReason[]>();
  const put = (status: number, reason: AnyRefusalReason): void => {
    const reasons = byStatus.get(String(status)) ?? [];
    if (!reasons.includes(reason)) byStatus.set(String(status), [...reasons, reason]);
  };
  for (const reason of reasonsOf(front)) {
    const [status] = ERROR_CODES[reason];
    put(status, reason);
    // nginx takes no other no.
    if (front === 'forward-auth' && (status < 500 || status === 501)) put(403, reason);
  }
  return Object.fromEntries([...byStatus].map(([status, reasons]) => [status, refusal(front, reasons)]));
}

function refusal(front: FrontName, reasons: readonly AnyRefusalReason[]): Operation['responses'][string] {
  const codes = z.enum([...new Set(reasons.map((reason) => ERROR_CODES[reason][2]))]);
  const body = z.object({ __type: codes, message: z.string(), requestId: z.uuid() }).loose();
  return {
    description: reasons.map((reason) => `${reason}: ${sentenceOf(reason)}`).join(' '),
    headers: {
      'x-keyd-reason': { required: true, schema: { type: 'string', enum: reasons } },
      ...textHeaders(['x-amz-request-id', 'x-amzn-errortype', 'x-amz-bucket-region']),
      ...(front === 'forward-auth' && textHeaders(['x-keyd-status', 'x-keyd-code'])),
    },
    content: {
      'application/xml': { schema: { type: 'string', description: "S3's error document" } },
      'application/json': { schema: jsonSchemaOf(body) },
      'text/xml': { schema: { type: 'string', description: 'the error document of the query services' } },
    },
  };
}

/** The headers in which a front tells of the original request, by KEYD_FORWARD_AUTH_FROM. */
function originalHeaders(): readonly object[] {
  return Object.entries(TELLINGS).flatMap(([origin, telling]: readonly [string, object]) =>
    Object.values(telling).map((name: unknown) => ({
      name,
      in: 'header',
      required: false,
      description: `KEYD_FORWARD_AUTH_FROM=${origin}`,
      schema: { type: 'string' },
    })),
  );
}

function textHeaders(names: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(names.map((name) => [name, { schema: { type: 'string' } }]));
}

function namesOf(headers: readonly string[]): readonly string[] {
  return headers.filter((_text, at) => at % 2 === 0);
}

function sampleAccepted(): Accepted {
  return {
    verdict: 'accepted',
    algorithm: 'AWS4-HMAC-SHA256',
    accessKeyId: 'ASIAEXAMPLE',
    session: { parentAccessKeyId: 'AKIAEXAMPLE', name: 'a-session' },
    scope: { date: day('20261122'), region: 'eu-west-1', service: 's3', terminator: 'aws4_request' },
    mechanism: 'header',
    signedAt: 0,
    payload: { kind: 'unsigned' },
    signedHeaders: ['host'],
  };
}
