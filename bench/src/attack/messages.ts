import { z } from 'zod';

/** Where clients of both kinds find the edge, and as whom they sign: their one argument, as JSON. */
const edge = z.strictObject({
  port: z.number(),
  region: z.string(),
  service: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});
export type EdgeFacts = z.infer<typeof edge>;

export const honestSettings = edge;

/** What honest requests came to; times in milliseconds. */
export const honestAnswer = z.strictObject({
  requests: z.number(),
  /** Not answered by 200. */
  failed: z.number(),
  p50: z.number(),
  p99: z.number(),
});
export type HonestAnswer = z.infer<typeof honestAnswer>;

export const ATTACKS = [
  'bad signatures',
  'unknown access keys',
  'giant headers',
  'too large headers',
  'slow heads',
  'slow bodies',
] as const;
export type Attack = (typeof ATTACKS)[number];

export const attackSettings = edge.extend({ attack: z.enum(ATTACKS), connections: z.number() });
export type AttackSettings = z.infer<typeof attackSettings>;

/** What an attacker got for its trouble, by the edge's reasons; `closed` are connections that the edge ended. */
export const attackAnswer = z.strictObject({ answers: z.record(z.string(), z.number()), closed: z.number() });
export type AttackAnswer = z.infer<typeof attackAnswer>;
