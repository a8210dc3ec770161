import { randomUUID } from 'node:crypto';
import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import {
  DERIVATIONS_PATH,
  derivationAnswer,
  KeydError,
  PeerClient,
  type Clock,
  type DerivationAnswer,
} from '@sigv4-keyd/hop-protocol';
import type { Logger, Traces } from '@sigv4-keyd/service-skeleton';
import { ECDSA_PUBLIC_KEY_BYTES } from '@sigv4-keyd/sigv4-core';
import type { Pool } from 'pg';
import type { Dispatcher } from 'undici';
import { recordAskedCall } from '../../database/custody-calls.js';
import type { SealedForSigner } from './external-custody.js';
import type { Want } from './signer-calls.js';

export interface SignerClientOptions {
  /** Nearest first. */
  readonly urls: readonly URL[];
  readonly dispatcher: Dispatcher;
  /** Of its own, for the records of calls. */
  readonly records: Pool;
  readonly credentials: CredentialsStore;
  readonly clock: Clock;
  /** Rings the ends of waits for the network. */
  readonly timer: Clock;
  readonly log: Logger;
  readonly tracer?: Traces['tracer'];
}

/** A transaction waits meanwhile. */
const ANSWER_WITHIN_MS = 5_000;
const K_DATE_BYTES = 32;

/** Asks signers: the one that answered last first, and the others when it fails. */
export class SignerClient {
  readonly #options: SignerClientOptions;
  /** In the order of asking. */
  #signers: readonly { readonly url: URL; readonly client: PeerClient }[];
  #failure: string | undefined;
  #recordedCalls = 0;

  constructor(options: SignerClientOptions) {
    this.#options = options;
    const { urls, dispatcher, clock, timer, tracer } = options;
    const clientOf = (url: URL): PeerClient => new PeerClient({ urls: [url], dispatcher, clock, timer, tracer });
    this.#signers = urls.map((url) => ({ url, client: clientOf(url) }));
  }

  /** Since the start: calls that were recorded, whether they were answered or not. */
  get recordedCalls(): number {
    return this.#recordedCalls;
  }

  /** Why nothing is derived, in words. */
  warnings(): readonly string[] {
    return this.#failure === undefined ? [] : [`no signer answers, so that no key is issued: ${this.#failure}`];
  }

  /** In the order of the secrets; undefined: it does not open. Rejects with KeydError 'custody-unavailable'. */
  async derive(want: Want, secrets: readonly SealedForSigner[]): Promise<readonly (Buffer | undefined)[]> {
    const { log } = this.#options;
    let failure: unknown;
    for (const signer of this.#signers) {
      try {
        const made = await this.#ask(signer, want, secrets);
        this.#signers = [signer, ...this.#signers.filter((other) => other !== signer)];
        if (this.#failure !== undefined) log.info({ signer: signer.url.host }, 'a signer answers again');
        this.#failure = undefined;
        return made;
      } catch (error) {
        failure = error;
        log.warn({ event: 'signer-failed', signer: signer.url.host, err: error }, 'a signer does not derive');
      }
    }
    if (this.#failure === undefined) log.error({ err: failure }, 'no signer derives; no key is issued until one does');
    this.#failure = failure instanceof Error ? failure.message : String(failure);
    throw new KeydError('custody-unavailable', { cause: failure });
  }

  async #ask(
    { client }: { readonly client: PeerClient },
    want: Want,
    secrets: readonly SealedForSigner[],
  ): Promise<readonly (Buffer | undefined)[]> {
    const { records, credentials, clock } = this.#options;
    // One id an attempt: what a signer counted under an id that is not recorded, somebody else asked for.
    const call = randomUUID();
    const master = credentials.current.spiffeId;
    await recordAskedCall(records, { call, at: clock.now(), master, ...want, asked: secrets.length });
    this.#recordedCalls += 1;
    const answer = derivationAnswer.transform((given, context) => {
      const made = bytesOf(given, { call, want, count: secrets.length });
      if (made) return made;
      context.issues.push({ code: 'custom', input: undefined, message: 'is not an answer to what was asked' });
      return [];
    });
    const body = { call, ...want, secrets };
    return client.call({
      method: 'POST',
      path: DERIVATIONS_PATH,
      body,
      answer,
      timeoutMs: ANSWER_WITHIN_MS,
      withinMs: ANSWER_WITHIN_MS,
    });
  }
}

/** Undefined for an answer to anything else. */
function bytesOf(
  { call, made }: DerivationAnswer,
  asked: { readonly call: string; readonly want: Want; readonly count: number },
): readonly (Buffer | undefined)[] | undefined {
  if (call !== asked.call || made.length !== asked.count) return undefined;
  const bytes = made.map((each) => (each === null ? undefined : Buffer.from(each, 'base64')));
  const length = lengthOf(asked.want);
  const isFitting = bytes.every((each) => each === undefined || length === undefined || each.length === length);
  return isFitting ? bytes : undefined;
}

/** Undefined: a seal, which is judged as such. */
function lengthOf({ want }: Want): number | undefined {
  switch (want) {
    case 'kDate':
      return K_DATE_BYTES;
    case 'publicKey':
      return ECDSA_PUBLIC_KEY_BYTES;
    case 'seal':
      return undefined;
  }
}
