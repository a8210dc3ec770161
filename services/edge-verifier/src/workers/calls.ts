import { ABSENCES, accessKeyId, rollup, scopeDate } from '@sigv4-keyd/hop-protocol';
import { ALGORITHMS } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { tallied } from '../request-tally.js';

// What the edge's process and its workers ask each other. Both ends read this one definition.

const nothing = z.null();
const algorithm = z.enum(ALGORITHMS);
const heldKey = z.strictObject({ algorithm, date: scopeDate, accessKeyId });

const handedIn = z.strictObject({
  tallied,
  counts: z.strictObject({ rollups: z.array(rollup).readonly(), dropped: z.number().int().nonnegative() }),
  /** Keys that the worker has in memory. */
  keysHeld: z.number().int().nonnegative(),
});
/** What a worker has counted since it last handed in. */
export type HandedIn = z.output<typeof handedIn>;

/** What the edge's process asks a worker. */
export const OF_WORKER = {
  /** A document of the feed. Answered when it is in force there: the version that is judged by. */
  news: {
    asked: z.strictObject({ beacon: z.string(), statements: z.array(z.string()).exactOptional() }),
    answered: z.number().int().nonnegative(),
  },
  /** A key that was lent is another one now, or gone. */
  forget: { asked: heldKey, answered: nothing },
  handIn: { asked: nothing, answered: handedIn },
  /** To read the public certificate again. */
  reload: { asked: nothing, answered: nothing },
  /** To take no more requests. Answered when those that it has are served. */
  drain: { asked: nothing, answered: handedIn },
} as const;

const edgeIdentity = z.strictObject({
  role: z.literal('edge'),
  trustDomain: z.string(),
  region: z.string(),
  service: z.string(),
  purpose: z.literal('aws4_request').exactOptional(),
  name: z.string(),
});

/** What a worker asks the edge's process. */
export const OF_EDGE = {
  /** The first question: what to serve, and by which rules. */
  begin: {
    /** An X25519 public key: keys are sealed to it. */
    asked: z.strictObject({ recipient: z.string() }),
    answered: z.strictObject({
      own: edgeIdentity,
      environment: z.record(z.string(), z.string()),
      feed: z.string(),
      sealedBy: z.string(),
    }),
  },
  /** `feed`: the version that it judges by. */
  serving: {
    asked: z.strictObject({
      addresses: z.record(z.string(), z.string()),
      feed: z.number().int().nonnegative(),
    }),
    answered: nothing,
  },
  /** It cannot serve, and ends. */
  failed: {
    asked: z.strictObject({ message: z.string(), exitCode: z.literal([1, 69, 78]) }),
    answered: nothing,
  },
  key: {
    asked: heldKey.extend({
      requestId: z.string().max(256).exactOptional(),
      /** The trace of the request that needs it. */
      traceparent: z.string().max(64).exactOptional(),
    }),
    answered: z.union([z.strictObject({ sealed: z.string() }), z.strictObject({ absent: z.enum(ABSENCES) })]),
  },
  /** For so many refusals: how many of them may be answered at once. */
  turns: {
    asked: z.strictObject({ refusals: z.number().int().positive().max(100_000) }),
    answered: z.strictObject({ atOnce: z.number().int().nonnegative() }),
  },
} as const;
