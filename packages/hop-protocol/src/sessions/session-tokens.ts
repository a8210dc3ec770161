import { createHash } from 'node:crypto';
import { FeedError, MOST_DOCUMENT_BYTES, type PinnedKeys } from '@sigv4-keyd/revocation';
import { isSessionAccessKeyId, type KeyMissingReason, type SessionTokenReason } from '@sigv4-keyd/sigv4-core';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { verifySessionToken, type Session } from './session-token.js';

export interface SessionTokensOptions {
  /** Where the requests are that bring the tokens. */
  readonly region: string;
  readonly service: string;
  readonly pinned: PinnedKeys;
  readonly clock: Pick<Clock, 'now'>;
  /** Verified tokens that are remembered. */
  readonly mostHeld?: number;
}

/** The session that a request belongs to, none for a long-lived access key, or what is wrong. */
export type SessionFinding =
  | { readonly session: Session | undefined }
  | { readonly reason: SessionTokenReason | Extract<KeyMissingReason, 'access-key-not-for-scope'> };

/** Some 20 MB. One that had to make room is verified again when it comes back. */
const MOST_HELD = 20_000;

/**
 * Judges the session tokens that requests bring, offline. It comes before any key is looked up: a made-up id of the
 * form ASIA… has no token, so that nobody above is ever asked about it. What a made-up token costs is one hash and one
 * Ed25519 verification, off the thread that serves, and nothing of it is remembered.
 */
export class SessionTokens {
  readonly #options: SessionTokensOptions;
  /** By the hash of the token: what lies in memory must not be what clients send. */
  readonly #verified: LRUCache<string, Session>;
  /** Being verified: as many as requests wait for them. */
  readonly #verifying = new Map<string, Promise<Session | undefined>>();

  constructor(options: SessionTokensOptions) {
    this.#options = options;
    this.#verified = new LRUCache({ max: options.mostHeld ?? MOST_HELD });
  }

  /** At once for what is held. Never rejects. `token`: as it was signed with the request. */
  find(accessKeyId: string, token: string | undefined): SessionFinding | Promise<SessionFinding> {
    if (!isSessionAccessKeyId(accessKeyId)) {
      return token === undefined ? { session: undefined } : { reason: 'session-token-mismatch' };
    }
    if (token === undefined) return { reason: 'session-token-required' };
    if (token.length > MOST_DOCUMENT_BYTES) return { reason: 'malformed-session-token' };
    const digest = createHash('sha256').update(token).digest('base64');
    const held = this.#verified.get(digest);
    if (held) return this.#judge(accessKeyId, held);
    return this.#verify(token, digest).then((session) =>
      session ? this.#judge(accessKeyId, session) : { reason: 'malformed-session-token' },
    );
  }

  #judge(accessKeyId: string, session: Session): SessionFinding {
    const { region, service, clock } = this.#options;
    if (session.accessKeyId !== accessKeyId) return { reason: 'session-token-mismatch' };
    if (session.expiresAt <= clock.now()) return { reason: 'session-token-expired' };
    const isForScope = (session.regions?.includes(region) ?? true) && (session.services?.includes(service) ?? true);
    return isForScope ? { session } : { reason: 'access-key-not-for-scope' };
  }

  /** Undefined for what no pinned key signed. Requests that come with the same token meanwhile wait for the same. */
  #verify(token: string, digest: string): Promise<Session | undefined> {
    const underWay = this.#verifying.get(digest);
    if (underWay) return underWay;
    const verification = this.#read(token, digest).finally(() => this.#verifying.delete(digest));
    this.#verifying.set(digest, verification);
    return verification;
  }

  async #read(token: string, digest: string): Promise<Session | undefined> {
    try {
      const session = await verifySessionToken(token, this.#options.pinned);
      this.#verified.set(digest, session);
      return session;
    } catch (error) {
      if (error instanceof FeedError) return undefined;
      throw error;
    }
  }
}
