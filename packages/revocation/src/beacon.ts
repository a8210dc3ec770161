import { z } from 'zod';
import type { FeedKey } from './feed-key.js';
import { MOST_STATEMENTS } from './feed.js';
import { FeedError } from './feed-problem.js';
import type { PinnedKeys } from './pinned-keys.js';
import { schemaDetail } from './schema-detail.js';
import { openDocument, signDocument, type DocumentDigest } from './signed-document.js';
import * as part from './statement-parts.js';

/** The most identities that can be shut out at a time. */
export const MOST_BANNED = 1_000;

export const beacon = z
  .strictObject({
    /** The publisher's counter: each beacon has one more than the last, whichever master signs it. */
    version: z.int().positive(),
    count: z.int().nonnegative().max(MOST_STATEMENTS),
    setHash: part.sha256Hex,
    /** Every identity that is shut out, as SPIFFE ids in the order of their code units: who is not in it is not. */
    banned: z
      .array(part.bannedIdentity)
      .max(MOST_BANNED)
      .refine(isStrictlyAscending, 'must be sorted, each identity once')
      .readonly(),
    /** When it was signed: what freshness is measured from. */
    at: part.instant,
    /** From this instant on it proves nothing. At least the longest hard horizon of any edge after `at`. */
    expires: part.instant,
  })
  .refine(({ at, expires }) => at < expires, { path: ['expires'], error: 'must be after the signing' })
  .readonly();
/** The freshness proof: names the complete set at a time, whether or not anything changed. */
export type Beacon = z.infer<typeof beacon>;

/** A beacon whose signature was checked. */
export interface SignedBeacon {
  readonly beacon: Beacon;
  readonly digest: DocumentDigest;
  /** `beacon.at` in epoch milliseconds. */
  readonly at: number;
  /** `beacon.expires` in epoch milliseconds. */
  readonly expires: number;
  /** Compact JWS. */
  readonly jws: string;
}

/** Returns the compact JWS. Throws FeedError `malformed` or `wrong-purpose`. */
export async function signBeacon(content: Beacon, key: FeedKey): Promise<string> {
  return signDocument('beacon', parseBeacon(content), key);
}

/** Throws FeedError. Neither version nor time is judged here: FeedState knows what came before. */
export async function verifyBeacon(jws: string, keys: PinnedKeys): Promise<SignedBeacon> {
  const { digest, content } = await openDocument(jws, ['beacon'], keys);
  const parsed = parseBeacon(content);
  return { beacon: parsed, digest, at: Date.parse(parsed.at), expires: Date.parse(parsed.expires), jws };
}

function isStrictlyAscending(texts: readonly string[]): boolean {
  return texts.every((text, index) => index === 0 || (texts[index - 1] ?? text) < text);
}

function parseBeacon(content: unknown): Beacon {
  const parsed = beacon.safeParse(content);
  if (!parsed.success) throw new FeedError('malformed', schemaDetail(parsed.error));
  return parsed.data;
}
