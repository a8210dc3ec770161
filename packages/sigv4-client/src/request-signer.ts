import {
  presignRequest,
  scopeDateOf,
  signChunkedRequest,
  signPostPolicy,
  signRequest,
  type Credentials,
  type PathRule,
  type PostFormFields,
  type UnsignedPostPolicy,
} from '@sigv4-keyd/sigv4-core';
import { chunkedBody, chunkedLength } from './chunked-body.js';
import { credentialsOf, type CredentialSource } from './credentials.js';
import type { HeaderPair } from './message-headers.js';
import type { PreparedPayload, SentBody } from './prepared-payload.js';
import { SigningClock } from './signing-clock.js';
import { SigningError } from './signing-error.js';
import { SigningKeys } from './signing-keys.js';

/** The head of a request that is to be signed: all headers that it will be sent with, `host` among them or not. */
export interface UnsignedHead {
  readonly method: string;
  /** Path and query, as they will be sent. */
  readonly target: string;
  /** What the Host header says where `headers` has none: the port counts unless it is the scheme's own. */
  readonly host: string;
  readonly headers: readonly HeaderPair[];
}

/** The head of a request to a URL, as fetch and node:http send it: without the fragment. */
export function headFor(method: string, url: URL, headers: readonly HeaderPair[]): UnsignedHead {
  return { method, target: url.pathname + url.search, host: url.host, headers };
}

export interface Scope {
  readonly region: string;
  readonly service: string;
  /** By default the rule of the service. */
  readonly pathRule?: PathRule;
}

/** A request to send, once. */
export interface SignedMessage {
  /** Names in lower case, `host` among them, without a length. */
  readonly headers: readonly HeaderPair[];
  readonly body: SentBody;
  /** Bytes on the wire; undefined: as they come. */
  readonly length: number | undefined;
}

/** Signs requests for one region and service, whatever sends them. */
export class RequestSigner {
  readonly clock: SigningClock;
  readonly #source: CredentialSource;
  readonly #scope: Scope;
  readonly #keys: SigningKeys;

  constructor(source: CredentialSource, scope: Scope, now: () => number) {
    this.#source = source;
    this.#scope = scope;
    this.#keys = new SigningKeys(scope.region, scope.service);
    this.clock = new SigningClock(now);
  }

  /** The request with its signature. Each sending needs one of its own: time, and the chain of chunks, go on. */
  async sign(head: UnsignedHead, { binding, length, open }: PreparedPayload): Promise<SignedMessage> {
    const headers = withHost(head);
    const { method, target } = head;
    const now = this.clock.now();
    const credentials = await this.#credentials(now);
    if (binding.kind !== 'chunked') {
      const signing = { ...this.#scope, now, payload: binding };
      const { headers: added } = signRequest({ method, target, headers }, credentials, signing);
      return { headers: [...headers, ...added], body: open(), length };
    }
    const { decodedLength } = binding;
    const plain = headers.filter(([name]) => name !== 'content-encoding');
    const contentEncoding = headers.find(([name]) => name === 'content-encoding')?.[1];
    const { headers: added, encoder } = signChunkedRequest({ method, target, headers: plain }, credentials, {
      ...this.#scope,
      now,
      kind: 'streaming-signed',
      decodedLength,
      ...(contentEncoding !== undefined && { contentEncoding }),
    });
    return {
      headers: [...plain, ...added],
      body: chunkedBody(open(), encoder),
      length: chunkedLength(decodedLength),
    };
  }

  /** The target with its signature in the query. */
  async presign(head: UnsignedHead, expiresSeconds: number): Promise<string> {
    const now = this.clock.now();
    const signing = { ...this.#scope, now, expiresSeconds };
    const { method, target } = head;
    return presignRequest({ method, target, headers: withHost(head) }, await this.#credentials(now), signing).target;
  }

  /** The fields of a form with the signature of its policy. */
  async presignPost(policy: UnsignedPostPolicy, expiresSeconds: number): Promise<PostFormFields> {
    const now = this.clock.now();
    return signPostPolicy(policy, await this.#credentials(now), { ...this.#scope, now, expiresSeconds });
  }

  async #credentials(now: number): Promise<Credentials> {
    return this.#keys.for(await credentialsOf(this.#source), scopeDateOf(now));
  }
}

function withHost({ host, headers }: UnsignedHead): readonly HeaderPair[] {
  const lowerCase = headers.map(([name, value]): HeaderPair => [name.toLowerCase(), value]);
  for (const [name, value] of lowerCase) {
    // Each way of sending writes such characters in other bytes, and only one of them was signed.
    if (!ASCII.test(value)) throw new SigningError('header-not-ascii', name);
  }
  return lowerCase.some(([name]) => name === 'host') ? lowerCase : [['host', host], ...lowerCase];
}

const ASCII = /^[\t\x20-\x7e]*$/;
