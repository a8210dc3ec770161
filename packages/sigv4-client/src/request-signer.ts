import {
  presignRequest,
  scopeDateOf,
  signRequest,
  type Credentials,
  type PathRule,
  type SigningPayload,
} from '@sigv4-keyd/sigv4-core';
import { credentialsOf, type CredentialSource } from './credentials.js';
import { SigningClock } from './signing-clock.js';
import { SigningError } from './signing-error.js';
import { SigningKeys } from './signing-keys.js';

export type HeaderPair = readonly [name: string, value: string];

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

/** Signs heads of requests for one region and service, whatever sends them. */
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

  /** The request's headers and those that signing adds, in lower case, `host` among them. */
  async signedHeaders(head: UnsignedHead, payload: SigningPayload): Promise<readonly HeaderPair[]> {
    const headers = withHost(head);
    const now = this.clock.now();
    const signing = { ...this.#scope, now, payload };
    const { method, target } = head;
    const { headers: added } = signRequest({ method, target, headers }, await this.#credentials(now), signing);
    return [...headers, ...added];
  }

  /** The target with its signature in the query. */
  async presign(head: UnsignedHead, expiresSeconds: number): Promise<string> {
    const now = this.clock.now();
    const signing = { ...this.#scope, now, expiresSeconds };
    const { method, target } = head;
    return presignRequest({ method, target, headers: withHost(head) }, await this.#credentials(now), signing).target;
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
