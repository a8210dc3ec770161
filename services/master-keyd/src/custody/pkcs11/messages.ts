import { z } from 'zod';

// Between the master and a process that has a session with the token. Bytes travel beside each header: see frames.ts.

/** A key of the token by its id, and what the secret is bound to. */
const under = z.strictObject({ keyId: z.string(), boundTo: z.string() });

const open = z.strictObject({
  do: z.literal('open'),
  module: z.string(),
  token: z.string(),
  pin: z.string(),
  /** Labels of keys in the token, the one that seals first. */
  keys: z.tuple([z.string()], z.string()),
});

const id = z.number().int();

/** The bytes: a key block, in; a wrapped secret, out. */
const wrap = z.strictObject({ do: z.literal('wrap'), id, to: under });
/** The bytes: a wrapped secret, in; kDate, out. */
const kDate = z.strictObject({ do: z.literal('kDate'), id, from: under, date: z.string() });
/** The bytes: a wrapped secret, in and out. */
const rewrap = z.strictObject({ do: z.literal('rewrap'), id, from: under, to: under });

export const request = z.discriminatedUnion('do', [open, wrap, kDate, rewrap]);

export const answer = z.discriminatedUnion('said', [
  /** The session is there; the ids of the keys, in the order of their labels. */
  z.strictObject({ said: z.literal('opened'), keyIds: z.tuple([z.string()], z.string()) }),
  /** The session is not there, or no more: the process ends. */
  z.strictObject({
    said: z.literal('failed'),
    reason: z.enum(['library-missing', 'module-unusable', 'token-absent', 'pin-refused', 'keys-unsuitable', 'gone']),
    message: z.string(),
  }),
  z.strictObject({ said: z.literal('done'), id }),
  /** This one secret does not open. */
  z.strictObject({ said: z.literal('broken'), id, message: z.string() }),
]);

export type Request = z.output<typeof request>;
export type OpenRequest = z.output<typeof open>;
export type Answer = z.output<typeof answer>;
/** Of the keys in the token, in the order of their labels: the one that seals first. */
export type KeyIds = Extract<Answer, { said: 'opened' }>['keyIds'];
export type Under = z.output<typeof under>;

type WithoutId<Message> = Message extends { readonly id: number } ? Omit<Message, 'id'> : never;

/** What is asked of an open session. */
export type Call = WithoutId<Request>;
