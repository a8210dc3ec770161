import { ERRORS, errorAnswer, type ErrorCode } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { ANSWERS, type KnownAnswer } from './answers.js';
import type { ServedRoute } from './served-routes.js';

/** A listener of a service. */
export interface DescribedListener {
  readonly name: 'hop' | 'health' | 'metrics';
  readonly routes: readonly ServedRoute[];
}

type Json = Readonly<Record<string, unknown>>;
export interface Operation extends Json {
  readonly responses: Readonly<Record<string, Json>>;
}
export interface OpenApi extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const SERVERS = {
  hop: { url: 'https://localhost:8443', description: 'mTLS, TLS 1.3: KEYD_LISTEN' },
  health: { url: 'http://127.0.0.1:8081', description: 'for probes: KEYD_HEALTH_LISTEN' },
  metrics: { url: 'http://127.0.0.1:9464', description: 'for Prometheus: KEYD_METRICS_LISTEN' },
} as const;

/** The statuses of errors, each with the codes that it can come with. */
const ERROR_STATUSES = new Map(
  [...new Set(Object.values(ERRORS).map(([status]) => status))].map((status) => [
    status,
    Object.entries(ERRORS).filter(([, [own]]) => own === status),
  ]),
);

/** The OpenAPI document of a service, from the very schemas that validate. `summaries`: by `METHOD /path`. */
export function openApiOf(
  service: string,
  version: string,
  listeners: readonly DescribedListener[],
  summaries: ReadonlyMap<string, string>,
): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const { name, routes } of listeners) {
    for (const route of routes.toSorted((a, b) => (a.url < b.url ? -1 : 1))) {
      const path = route.url.replace(/:([A-Za-z]+)/g, '{$1}');
      const operation = operationOf(name, route, summaries.get(`${route.method} ${route.url}`));
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation };
    }
  }
  return {
    openapi: '3.1.1',
    info: { title: service, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: {
        mtls: {
          type: 'mutualTLS',
          description: 'A certificate of the trust domain with one SPIFFE id; its role is served.',
        },
      },
      responses: Object.fromEntries([...ERROR_STATUSES].map(([status, codes]) => [`Error${status}`, errorOf(codes)])),
    },
  };
}

function operationOf(listener: DescribedListener['name'], route: ServedRoute, summary: string | undefined): Operation {
  const { method, url, schema, roles } = route;
  const parts = url.split(/[^A-Za-z]+/).filter((word) => word !== '' && word !== 'v');
  const words = listener === 'hop' || parts.includes(listener) ? parts : [listener, ...parts];
  const parameters = [...parametersOf('path', schema.params), ...parametersOf('query', schema.querystring)];
  const errors = roles ? [...ERROR_STATUSES.keys()] : [];
  return {
    operationId: [method.toLowerCase(), ...words].map((word, i) => (i === 0 ? word : capital(word))).join(''),
    ...(summary !== undefined && { summary }),
    tags: [listener],
    servers: [SERVERS[listener]],
    ...(roles && { security: [{ mtls: [] }], 'x-roles': roles }),
    ...(parameters.length > 0 && { parameters }),
    ...(schema.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchemaOf(schema.body) } } },
    }),
    responses: {
      ...Object.fromEntries(answersOf(route).map(({ status, content }) => [String(status), responseOf(content)])),
      ...Object.fromEntries(
        errors.map((status) => [String(status), { $ref: `#/components/responses/Error${status}` }]),
      ),
    },
  };
}

/** Declared by the route itself, or known to be what it writes. */
export function answersOf({ method, url, schema }: ServedRoute): readonly KnownAnswer[] {
  const declared = Object.entries((schema.response ?? {}) as Readonly<Record<string, z.ZodType>>);
  if (declared.length === 0) return ANSWERS[`${method} ${url}`] ?? [];
  return declared.map(([status, answer]) => ({ status: Number(status), content: { 'application/json': answer } }));
}

function responseOf(content: KnownAnswer['content']): Json {
  const types = Object.entries(content);
  if (types.length === 0) return { description: 'done, or nothing to tell' };
  return {
    description: 'the answer',
    content: Object.fromEntries(types.map(([type, schema]) => [type, schema ? { schema: jsonSchemaOf(schema) } : {}])),
  };
}

function errorOf(codes: readonly (readonly [string, (typeof ERRORS)[ErrorCode]])[]): Json {
  const schema = errorAnswer.extend({
    error: errorAnswer.shape.error.extend({ code: z.enum(codes.map(([code]) => code)) }),
  });
  return {
    description: codes.map(([code, [, sentence]]) => `${code}: ${sentence}`).join(' '),
    content: { 'application/json': { schema: jsonSchemaOf(schema) } },
  };
}

function parametersOf(place: 'path' | 'query', schema: unknown): readonly Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchemaOf(schema) as {
    readonly properties?: Json;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

/** Throws where a schema refers to a part of itself. */
export function jsonSchemaOf(schema: unknown): Json {
  // What travels is the input of a schema: answers are encoded back into it.
  const whole = z.toJSONSchema(schema as z.ZodType, { io: 'input', unrepresentable: 'any' });
  const rest = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== '$schema'));
  if (JSON.stringify(rest).includes('"$ref"'))
    throw new Error('a schema refers to a part of itself: write it in place');
  return rest;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
