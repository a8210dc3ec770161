import { parseAuthorizationHeader } from '../authorization-header.js';
import { canonicalQuery } from '../canonical-query.js';
import { isAccessKeyId } from '../credential-scope.js';
import type { Examined } from '../examined.js';
import type { VerificationPolicy } from '../policy.js';
import { parseQueryParameters } from '../query-parameters.js';
import { isRefused } from '../refusal.js';
import type { RequestHead } from '../request-head.js';
import { parseRequestTarget } from '../request-target.js';
import { isSignature } from '../signature.js';
import { checkFreshness } from '../signing-time.js';
import type { HeaderNames } from './header-names.js';
import { isPlainPath, isPlainValue, ownText } from './plain-text.js';
import { examineCovered } from './request-shape.js';
import type { Covered, RequestShape } from './request-shape.js';
import type { ScopeDay, ScopeDays } from './scope-days.js';
import { SignedHeaderLines } from './signed-header-lines.js';

const HEAD = 'AWS4-HMAC-SHA256 Credential=';
const SIGNATURE_LENGTH = 64;
const TAIL = /^AWS4-HMAC-SHA256 Credential=[A-Za-z0-9_]{3,128}\/[0-9]{8}(\/.{1,2048}Signature=)[0-9a-f]{64}$/;
const MATCHED_OTHERWISE = ['authorization', 'x-amz-date', 'x-amz-content-sha256'];

/** Requests that are signed in the Authorization header. */
export class HeaderShape implements RequestShape {
  readonly key: string;
  readonly #covered: Covered;
  /** The Authorization header between the date of the scope and the signature. */
  readonly #tail: string;
  /** The newest day that a request named, and the text between access key id and signature that goes with it. */
  #day: ScopeDay | undefined;
  #middle = '';
  // Where values stand in the raw headers; beyond them for a header that is not there.
  readonly #authorizationPlace: number;
  readonly #datePlace: number;
  readonly #payloadPlace: number;
  readonly #tokenPlace: number;

  private constructor(covered: Covered, tail: string, places: ReadonlyMap<string, number>) {
    const placeOf = (name: string): number => places.get(name) ?? 2 * places.size;
    this.key = tail;
    this.#covered = covered;
    this.#tail = tail;
    this.#authorizationPlace = placeOf('authorization');
    this.#datePlace = placeOf('x-amz-date');
    this.#payloadPlace = placeOf('x-amz-content-sha256');
    this.#tokenPlace = placeOf('x-amz-security-token');
  }

  /** Undefined when the request's shape is not one to be remembered. */
  static of(
    { method, rawHeaders }: RequestHead,
    names: HeaderNames,
    policy: VerificationPolicy,
  ): HeaderShape | undefined {
    const { places } = names;
    const authorization = rawHeaders[places.get('authorization') ?? -1] ?? '';
    const tail = TAIL.exec(authorization)?.[1];
    const hostPlace = places.get('host');
    if (tail === undefined || hostPlace === undefined || !isPlainValue(authorization)) return undefined;
    // What follows from the tail follows whatever stands for the access key id, the date and the signature.
    const sample = `${HEAD}ANY/20000101${tail}${'0'.repeat(SIGNATURE_LENGTH)}`;
    const authentication = parseAuthorizationHeader(sample, policy.algorithms);
    if (isRefused(authentication)) return undefined;
    const { scope, signedHeaders } = authentication;
    const lines = SignedHeaderLines.of(names, rawHeaders, signedHeaders, MATCHED_OTHERWISE);
    if (lines === undefined || scope.region !== policy.region || scope.service !== policy.service) return undefined;
    const covered = { mechanism: 'header', policy, method: ownText(method), signedHeaders, lines, hostPlace } as const;
    return new HeaderShape(covered, ownText(tail), places);
  }

  examine(request: RequestHead, now: number, days: ScopeDays): Examined | undefined {
    const { rawHeaders, target } = request;
    const { policy } = this.#covered;
    const instant = days.instantOf(rawHeaders[this.#datePlace] ?? '');
    if (instant === undefined) return undefined;
    const middle = this.#middleOf(instant.day);
    const authorization = rawHeaders[this.#authorizationPlace] ?? '';
    const signatureAt = authorization.length - SIGNATURE_LENGTH;
    const middleAt = signatureAt - middle.length;
    // A slice is compared as memory, where startsWith takes one character after the other.
    const head = authorization.slice(0, HEAD.length);
    if (head !== HEAD || middleAt < HEAD.length) return undefined;
    if (authorization.slice(middleAt, signatureAt) !== middle) return undefined;
    const accessKeyId = authorization.slice(HEAD.length, middleAt);
    const signature = authorization.slice(signatureAt);
    if (!isAccessKeyId(accessKeyId) || !isSignature(signature)) return undefined;
    if (!policy.acceptsDate(instant.day.scope.date, now)) return undefined;
    if (checkFreshness(instant.signedAt, policy, now) !== undefined) return undefined;

    const wanted = readTarget(target);
    if (wanted === undefined) return undefined;
    return examineCovered(this.#covered, request, {
      path: wanted.path,
      isPlainPath: wanted.isPlainPath,
      query: wanted.query,
      canonicalQuery: wanted.canonicalQuery,
      accessKeyId,
      instant,
      expiresAt: undefined,
      signature,
      statedPayload: rawHeaders[this.#payloadPlace],
      sessionToken: rawHeaders[this.#tokenPlace],
    });
  }

  /** The date of the scope must be the one of x-amz-date, so that both are one text to compare with. */
  #middleOf(day: ScopeDay): string {
    if (this.#day !== day) {
      this.#day = day;
      this.#middle = ownText(`/${day.scope.date}${this.#tail}`);
    }
    return this.#middle;
  }
}

interface WantedTarget {
  readonly path: string;
  readonly isPlainPath: boolean;
  readonly query: string;
  readonly canonicalQuery: string;
}

/** Undefined for parameters that may be of the other mechanism, too. */
function readTarget(target: string): WantedTarget | undefined {
  if (isPlainPath(target)) return { path: target, isPlainPath: true, query: '', canonicalQuery: '' };
  const parted = parseRequestTarget(target);
  if (isRefused(parted)) return undefined;
  const { path, query } = parted;
  const parameters = parseQueryParameters(query);
  if (isRefused(parameters) || parameters.amz.size > 0) return undefined;
  return { path, isPlainPath: false, query, canonicalQuery: canonicalQuery(parameters.all, 'header') };
}
