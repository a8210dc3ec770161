import {
  dayStreamPath,
  DATE_KEYS,
  feedAnswer,
  keyAnswer,
  REGION_KEYS,
  REGION_PUBLIC_KEYS,
  SEALED_KEYS_TYPE,
  SERVICE_KEYS,
  SERVICE_PUBLIC_KEYS,
  SIGNING_KEYS,
  DAY_STREAM_TYPE,
} from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';

/** What a route answers: a schema for JSON, the type of other content, or nothing. */
export interface KnownAnswer {
  readonly status: number;
  readonly content: Readonly<Record<string, z.ZodType | undefined>>;
}

const NOTHING = [{ status: 204, content: {} }];
const BYTES = [{ status: 200, content: { [DAY_STREAM_TYPE]: undefined, [SEALED_KEYS_TYPE]: undefined } }];
const KEYS = [{ status: 200, content: { 'application/json': keyAnswer, [SEALED_KEYS_TYPE]: undefined } }];
const JSON_OF = (schema: z.ZodType, status = 200): KnownAnswer => ({ status, content: { 'application/json': schema } });

const readiness = z.object({ ready: z.boolean(), notReady: z.array(z.string()), warnings: z.array(z.string()) });
const HOPS = [REGION_KEYS, REGION_PUBLIC_KEYS, SERVICE_KEYS, SERVICE_PUBLIC_KEYS, SIGNING_KEYS, DATE_KEYS];

/** The answers of routes that declare no schema: they are sealed, streamed, empty, or written once for many. */
export const ANSWERS: Readonly<Record<string, readonly KnownAnswer[]>> = {
  ...Object.fromEntries(HOPS.map(({ path }) => [`POST ${path}`, KEYS])),
  ...Object.fromEntries(HOPS.map((hop) => [`POST ${dayStreamPath(hop)}`, BYTES])),
  'GET /v1/feed': [JSON_OF(feedAnswer), ...NOTHING],
  'GET /v1/ready': NOTHING,
  'POST /v1/report': NOTHING,
  'POST /v1/acceptances': NOTHING,
  'GET /health/live': [JSON_OF(z.object({ live: z.literal(true) }))],
  'GET /health/ready': [JSON_OF(readiness), JSON_OF(readiness, 503)],
  'GET /status': [JSON_OF(readiness.loose())],
  'GET /metrics': [{ status: 200, content: { 'text/plain': undefined } }],
};
