import { isAccessKeyId, parseCredential } from '../credential-scope.js';
import type { Examined } from '../examined.js';
import { decodeUniform, isUniform, percentDecode } from '../percent-encoding.js';
import type { VerificationPolicy } from '../policy.js';
import { isRefused } from '../refusal.js';
import type { RequestHead } from '../request-head.js';
import { parseRequestTarget } from '../request-target.js';
import { isSignature } from '../signature.js';
import { parseSignedHeaders } from '../signed-headers.js';
import { checkExpiry } from '../signing-time.js';
import type { HeaderNames } from './header-names.js';
import { isPlainPath, ownText } from './plain-text.js';
import { QueryForm } from './query-form.js';
import { examineCovered } from './request-shape.js';
import type { Covered, RequestShape } from './request-shape.js';
import type { ScopeDays } from './scope-days.js';
import { SignedHeaderLines } from './signed-header-lines.js';

const CREDENTIAL = /^[A-Za-z0-9_]{3,128}%2F[0-9]{8}(%2F.{1,200})$/;
const SLASH = '%2F';
const DATE_LENGTH = 8;
// Headers that a parameter of the same name may contradict.
const IN_THE_QUERY = [
  'authorization',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-region-set',
  'x-amz-security-token',
];

/** Presigned requests. */
export class PresignedShape implements RequestShape {
  readonly key: string;
  readonly #covered: Covered;
  readonly #form: QueryForm;
  /** The credential after the date of the scope. */
  readonly #tail: string;

  private constructor(covered: Covered, form: QueryForm, tail: string) {
    this.key = `?${form.key}${tail}`;
    this.#covered = covered;
    this.#form = form;
    this.#tail = tail;
  }

  /** Undefined when the request's shape is not one to be remembered. */
  static of(
    { method, target, rawHeaders }: RequestHead,
    names: HeaderNames,
    policy: VerificationPolicy,
  ): PresignedShape | undefined {
    const { places } = names;
    const hostPlace = places.get('host');
    if (hostPlace === undefined || IN_THE_QUERY.some((name) => places.has(name))) return undefined;
    const parted = parseRequestTarget(target);
    const form = isRefused(parted) ? undefined : QueryForm.of(parted.query);
    if (isRefused(parted) || form === undefined) return undefined;
    const values = form.valuesIn(target, parted.path.length + 1);
    const tail = CREDENTIAL.exec(values?.credential ?? '')?.[1];
    if (values === undefined || tail === undefined || !isUniform(tail)) return undefined;
    // What follows from the tail follows whatever stands for the access key id and the date.
    const credential = parseCredential(percentDecode(`ANY${SLASH}20000101${tail}`));
    const signedHeaders = parseSignedHeaders(percentDecode(form.signedHeaders));
    if (isRefused(credential) || isRefused(signedHeaders)) return undefined;
    const { region, service } = credential.scope;
    const lines = SignedHeaderLines.of(names, rawHeaders, signedHeaders, []);
    if (lines === undefined || region !== policy.region || service !== policy.service) return undefined;
    const covered = { policy, method: ownText(method), signedHeaders, lines, hostPlace } as const;
    return new PresignedShape({ mechanism: 'presigned', ...covered }, form, ownText(tail));
  }

  examine(head: RequestHead, now: number, days: ScopeDays): Examined | undefined {
    const { target } = head;
    const { policy } = this.#covered;
    const mark = target.indexOf('?');
    const values = this.#form.valuesIn(target, mark + 1);
    if (mark < 0 || values === undefined) return undefined;
    const { credential, signature } = values;
    const slash = credential.indexOf(SLASH);
    const dateAt = slash + SLASH.length;
    const tailAt = dateAt + DATE_LENGTH;
    if (slash < 0 || credential.slice(tailAt) !== this.#tail) return undefined;
    const accessKeyId = credential.slice(0, slash);
    if (!isAccessKeyId(accessKeyId) || !isSignature(signature)) return undefined;

    // Not remembered: URLs were signed at any time.
    const instant = days.read(values.amzDate);
    if (instant === undefined) return undefined;
    const { date } = instant.day.scope;
    if (credential.slice(dateAt, tailAt) !== date || !policy.acceptsDate(date, now)) return undefined;
    const time = checkExpiry(instant.signedAt, values.expires, policy, now);
    if (isRefused(time)) return undefined;
    const sessionToken = values.securityToken === undefined ? undefined : decodeUniform(values.securityToken);
    if (sessionToken === undefined && values.securityToken !== undefined) return undefined;

    const path = target.slice(0, mark);
    const isPlain = isPlainPath(path);
    if (!isPlain && isRefused(parseRequestTarget(path))) return undefined;
    return examineCovered(this.#covered, head, {
      path,
      isPlainPath: isPlain,
      query: target.slice(mark + 1),
      canonicalQuery: values.canonicalQuery,
      accessKeyId,
      instant,
      expiresAt: time.expiresAt,
      signature,
      statedPayload: values.contentSha256,
      sessionToken,
    });
  }
}
