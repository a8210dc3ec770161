import type { IncomingMessage } from 'node:http';
import type { PathRule, PostFormFields, UnsignedPostPolicy } from '@sigv4-keyd/sigv4-core';
import type { Dispatcher } from 'undici';
import type { Body } from './body.js';
import type { CredentialSource } from './credentials.js';
import { signingInterceptor } from './interceptor.js';
import { requestSigned, type NodeRequestOptions } from './node-request.js';
import { preparePayload, type PayloadRules } from './prepared-payload.js';
import type { HeaderPair } from './message-headers.js';
import { headFor, RequestSigner } from './request-signer.js';
import { signedFetch } from './signed-fetch.js';

export interface SignerOptions {
  readonly credentials: CredentialSource;
  /** Such as `eu-west-1`. */
  readonly region: string;
  /** The service's signing name, such as `s3` or `execute-api`. */
  readonly service: string;
  /** By default the rule of the service. */
  readonly pathRule?: PathRule;
  /**
   * `exact` (the default) signs the body's hash. `chunked` signs Blobs, and streams whose Content-Length is given,
   * chunk by chunk, for S3 and its like. `unsigned` leaves bodies out of the signature, for streams over HTTPS.
   */
  readonly payload?: PayloadRules['payload'];
  /** Bytes of a stream that are held in memory to hash it before it is sent: 8 MiB by default. */
  readonly longestHeldStream?: number;
  /** Epoch milliseconds; by default the system's clock. */
  readonly now?: () => number;
  /** What sends; by default the global fetch. */
  readonly fetch?: typeof fetch;
}

export interface PresignOptions {
  /** Seconds, 1 to 604800. */
  readonly expires: number;
  readonly method?: string;
  /** Headers that whoever uses the URL has to send as they are here. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PresignPostOptions extends UnsignedPostPolicy {
  /** Seconds, 1 to 604800. */
  readonly expires: number;
}

export interface SignOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | null;
}

const LONGEST_HELD_STREAM = 8 * 1024 * 1024;

/** Signs requests for one region and service, by whatever means they are sent. */
export class Signer {
  readonly #signer: RequestSigner;
  readonly #rules: PayloadRules;
  readonly #fetch: typeof fetch;

  constructor(options: SignerOptions) {
    const { credentials, region, service, pathRule, now = Date.now } = options;
    this.#signer = new RequestSigner(credentials, { region, service, ...(pathRule && { pathRule }) }, now);
    const { payload = 'exact', longestHeldStream = LONGEST_HELD_STREAM } = options;
    this.#rules = { payload, longestHeldStream };
    this.#fetch = options.fetch ?? fetch;
  }

  /** As the global fetch, signed. Rejects with what fetch does, or with a SigningError or TypeError before it sends. */
  readonly fetch = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> =>
    signedFetch(input, init, { signer: this.#signer, rules: this.#rules, fetch: this.#fetch });

  /** As node:http's and node:https' request, signed; resolves to the answer. */
  request(url: string | URL, options: NodeRequestOptions = {}): Promise<IncomingMessage> {
    return requestSigned(new URL(url), options, this.#signer, this.#rules);
  }

  /** For undici's `dispatcher.compose()`: signs requests to these origins, and lets all others pass as they are. */
  interceptor(origins: readonly string[]): Dispatcher.DispatcherComposeInterceptor {
    const known = new Set(origins.map((origin) => new URL(origin).origin));
    return signingInterceptor({ signer: this.#signer, rules: this.#rules, origins: known });
  }

  /** The URL with a signature in its query. */
  async presign(url: string | URL, { expires, method = 'GET', headers = {} }: PresignOptions): Promise<string> {
    const plain = new URL(url);
    const target = await this.#signer.presign(headFor(method, plain, Object.entries(headers)), expires);
    return `${plain.origin}${target}`;
  }

  /** All fields of a form that a browser uploads with, for the bucket's URL; the file follows them as the last one. */
  presignPost({ expires, ...policy }: PresignPostOptions): Promise<PostFormFields> {
    return this.#signer.presignPost(policy, expires);
  }

  /** All headers that a request has to be sent with, names in lower case; for clients that are none of the above. */
  async sign(
    url: string | URL,
    { method = 'GET', headers = {}, body }: SignOptions = {},
  ): Promise<readonly HeaderPair[]> {
    // Whoever sends the body by other means sends it as it is: chunks would have to be made for this signature.
    const rules = { ...this.#rules, payload: this.#rules.payload === 'unsigned' ? 'unsigned' : 'exact' } as const;
    const payload = await preparePayload(body, rules);
    return (await this.#signer.sign(headFor(method, new URL(url), Object.entries(headers)), payload)).headers;
  }
}

/** A signer for one region and service. Throws for nothing: names are checked when they are first used. */
export function createSigner(options: SignerOptions): Signer {
  return new Signer(options);
}
