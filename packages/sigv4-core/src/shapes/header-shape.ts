import { timeOfAmzDate } from '../amz-date.js';
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
import type { ScopeDays } from './scope-days.js';
import { SignedHeaderLines } from './signed-header-lines.js';

const HEAD = 'AWS4-HMAC-SHA256 Credential=';
const DATE_LENGTH = 8;
const SIGNATURE_LENGTH = 64;
const TAIL = /^AWS4-HMAC-SHA256 Credential=[A-Za-z0-9_]{3,128}\/[0-9]{8}(\/.{1,2048}Signature=)[0-9a-f]{64}$/;
const MATCHED_OTHERWISE = ['authorization', 'x-amz-date', 'x-amz-content-sha256'];

/** Requests that are signed in the Authorization header. */
export class HeaderShape implements RequestShape {
  readonly key: string;
  readonly #covered: Covered;
  /** The Authorization header from the date of the scope to the signature. */
  readonly #tail: string;
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
  static of({ rawHeaders }: RequestHead, names: HeaderNames, policy: VerificationPolicy): HeaderShape | undefined {
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
    const lines = SignedHeaderLines.of(names, signedHeaders, MATCHED_OTHERWISE);
    if (lines === undefined || scope.region !== policy.region || scope.service !== policy.service) return undefined;
    return new HeaderShape({ mechanism: 'header', policy, signedHeaders, lines, hostPlace }, ownText(tail), places);
  }

  examine(request: RequestHead, now: number, days: ScopeDays): Examined | undefined {
    const { rawHeaders, target } = request;
    const { policy } = this.#covered;
    const authorization = rawHeaders[this.#authorizationPlace] ?? '';
    const slash = authorization.indexOf('/', HEAD.length);
    const dateAt = slash + 1;
    const tailAt = dateAt + DATE_LENGTH;
    const signatureAt = tailAt + this.#tail.length;
    if (slash < 0 || authorization.length !== signatureAt + SIGNATURE_LENGTH) return undefined;
    const head = authorization.slice(0, HEAD.length);
    if (head !== HEAD || authorization.slice(tailAt, signatureAt) !== this.#tail) return undefined;
    const accessKeyId = authorization.slice(HEAD.length, slash);
    const signature = authorization.slice(signatureAt);
    if (!isAccessKeyId(accessKeyId) || !isSignature(signature)) return undefined;

    const amzDate = rawHeaders[this.#datePlace] ?? '';
    const date = amzDate.slice(0, DATE_LENGTH);
    const timeOfDay = timeOfAmzDate(amzDate);
    const day = days.find(date);
    if (timeOfDay === undefined || day === undefined || authorization.slice(dateAt, tailAt) !== date) return undefined;
    if (!policy.acceptsDate(day.scope.date, now)) return undefined;
    const signedAt = day.startsAt + timeOfDay;
    if (checkFreshness(signedAt, policy, now) !== undefined) return undefined;

    const wanted = readTarget(target);
    if (wanted === undefined) return undefined;
    return examineCovered(this.#covered, request, {
      path: wanted.path,
      isPlainPath: wanted.isPlainPath,
      query: wanted.query,
      canonicalQuery: wanted.canonicalQuery,
      accessKeyId,
      amzDate,
      day,
      signedAt,
      expiresAt: undefined,
      signature,
      statedPayload: rawHeaders[this.#payloadPlace],
      sessionToken: rawHeaders[this.#tokenPlace],
    });
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
