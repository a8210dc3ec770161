import { z } from 'zod';
import { accessKeyId, instant, scopeDate } from '../schemas.js';

/** Between masters and the signer that can open the seals of their secrets. */
/** POST, by masters: something derived from each of some sealed secrets (200). */
export const DERIVATIONS_PATH = '/v1/derivations';
/** GET, by operators: the calls that were counted (200). */
export const COUNTED_CALLS_PATH = '/v1/calls';

export const MOST_SECRETS_A_CALL = 250;
export const MOST_CALLS_A_PAGE = 1_000;

/** How long a signer keeps its counts at least, milliseconds: longer than keys of any day are asked for. */
export const COUNTS_KEPT_MS = 14 * 86_400_000;
/** Masters keep what they asked for longer, so that whatever a signer counted can be looked up. */
export const ASKED_KEPT_MS = 2 * COUNTS_KEPT_MS;

const sealedSecret = z.strictObject({
  accessKeyId,
  version: z.number().int().positive(),
  /** A compact JWE. */
  sealed: z.string().max(2_000),
});

const call = z.uuid();
const common = {
  /** Made for this one call, and recorded by the master before it asks. */
  call,
  secrets: z.array(sealedSecret).min(1).max(MOST_SECRETS_A_CALL),
};

/** What masters ask for: kDate of a date, the public key of AWS4-ECDSA-P256-SHA256, or a seal of the present key. */
export const WANTED = ['kDate', 'publicKey', 'seal'] as const;
export type Wanted = (typeof WANTED)[number];

export const derivationRequest = z.discriminatedUnion('want', [
  z.strictObject({ ...common, want: z.literal('kDate'), date: scopeDate }),
  z.strictObject({ ...common, want: z.literal('publicKey') }),
  z.strictObject({ ...common, want: z.literal('seal') }),
]);
export type DerivationRequest = z.output<typeof derivationRequest>;

export const derivationAnswer = z.object({
  call,
  /** Base64, in the order of the secrets; null where a seal does not open. */
  made: z.array(z.base64().nullable()).max(MOST_SECRETS_A_CALL),
});
export type DerivationAnswer = z.infer<typeof derivationAnswer>;

const count = z.number().int().nonnegative();

const askedCall = z.object({
  call,
  at: instant,
  /** The SPIFFE id of the master. */
  master: z.string().max(2048),
  want: z.enum(WANTED),
  /** Of kDate alone. */
  date: scopeDate.optional(),
});

/** A call as the signer counted it, before it answered. */
export const countedCall = askedCall.extend({
  /** Secrets that it opened, and so keys that it gave. */
  given: count,
});
export type CountedCall = z.infer<typeof countedCall>;

/** The records of the signer's journal: closed, so that there is no place for a key in them. */
export const countedCallRecord = z.strictObject(countedCall.shape);

export const countedCallsQuery = z.strictObject({ from: z.coerce.number().int().min(0).default(0) });

export const countedCalls = z.object({
  calls: z.array(countedCall).max(MOST_CALLS_A_PAGE),
  /** Where to go on; absent at the end. */
  next: count.optional(),
});
export type CountedCalls = z.infer<typeof countedCalls>;

/** What masters recorded before they asked a signer, page by page in the order of the ids, and what they issued. */
/** GET, by operators, of master-keyd (200). */
export const ASKED_CALLS_PATH = '/v1/custody/calls';
export const askedCallsQuery = z.strictObject({ after: call.optional() });
export const askedCalls = z.object({
  calls: z.array(askedCall.extend({ asked: count })).max(MOST_CALLS_A_PAGE),
  next: call.optional(),
});
export type AskedCalls = z.infer<typeof askedCalls>;

/** GET, by operators, of master-keyd: access keys in the issuance records of masters, by date (200). */
export const ISSUED_COUNTS_PATH = '/v1/custody/issued';
export const issuedCounts = z.object({
  /** Of dates before this one nothing is told. */
  first: scopeDate,
  issued: z.array(z.object({ master: z.string().max(2048), date: scopeDate, keys: count })),
});
export type IssuedCounts = z.infer<typeof issuedCounts>;
