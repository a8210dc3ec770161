import type { Description } from './description.js';

/**
 * Every reason for which a request is refused, with the public sentence that says what to do about it. The sentences
 * hold nothing of the request, so that they may be sent to anyone.
 */
export const REFUSALS = {
  // the request itself
  'malformed-method': 'Send a method that is an HTTP token.',
  'malformed-target':
    'Send an origin-form target: a path from "/" on, every "%" with two hex digits, no space, control byte or "#".',
  'malformed-header': 'Send header names that are HTTP tokens, and values without control bytes or line breaks.',
  'duplicate-header': 'Send this header once: two copies could be read as two requests.',
  'duplicate-parameter': 'Send each X-Amz-* query parameter once, in one spelling.',
  // which mechanism
  'missing-authentication':
    'Sign the request with AWS Signature Version 4: there is neither an Authorization header nor X-Amz-Signature.',
  'both-mechanisms': 'Sign in the Authorization header or in the query, not in both.',
  'presigned-refused': 'Sign in the Authorization header: presigned URLs are not accepted here.',
  'header-parameter-conflict': 'Send this value in the header or in the query, or the same in both.',
  // what the signature says of itself
  'unsupported-algorithm': 'Sign with AWS4-HMAC-SHA256, or with another algorithm that is accepted here.',
  'malformed-authorization': 'Send exactly one each of Credential, SignedHeaders and Signature.',
  'malformed-credential':
    'Send a credential of the form ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request (ECDSA: without the region).',
  'wrong-terminator': 'End the credential scope with aws4_request.',
  'malformed-signed-headers': 'List the signed headers in lower case, sorted, each once, parted by ";".',
  'malformed-signature': 'Send the signature in lower-case hex: 64 digits, for ECDSA the DER form of r and s.',
  // when
  'missing-date': 'Send x-amz-date (presigned: X-Amz-Date); the Date header does not stand for it.',
  'malformed-date': 'Send the date as YYYYMMDDTHHMMSSZ, a real instant in UTC.',
  'malformed-expires': 'Send X-Amz-Expires as whole seconds from 1 on, in plain decimal digits.',
  'expires-too-long': 'Presign for a shorter time: the URL would live longer than is allowed here.',
  'scope-date-mismatch': 'Use the UTC day of x-amz-date as the date of the credential scope.',
  'request-too-old': 'Sign again: the request was signed too long ago. Check the clock of the client.',
  'request-in-future': 'Check the clock of the client: the request was signed in the future.',
  'presigned-expired': 'Presign again: the URL has expired.',
  'presigned-not-yet-valid': 'Check the clock of the signer: the URL was signed in the future.',
  'date-outside-window': 'Sign again: no keys are held for the day of this credential scope.',
  // where
  'wrong-region': 'Sign for the region of this endpoint.',
  'wrong-service': 'Sign for the service of this endpoint.',
  'missing-region-set':
    'Send x-amz-region-set (presigned: X-Amz-Region-Set): ECDSA signatures name their regions there.',
  'malformed-region-set': 'Send the region set as names parted by commas; "*" may end a name, or stand alone.',
  'region-not-in-set': 'Sign for a region set that has the region of this endpoint in it.',
  // what the signature covers
  'host-not-signed': 'Sign the host header.',
  'header-not-signed': 'Sign every x-amz-* header that is sent, and every one that stands for the method.',
  'signed-header-absent': 'Send every header that was signed; a proxy between may have removed one.',
  'host-not-served': 'Send the request to a host that is served here.',
  'path-not-normalised': 'Send the path without empty, "." or ".." segments.',
  'session-token-refused': 'Use long-lived credentials: temporary ones (ASIA…, session tokens) are not accepted here.',
  'malformed-payload-hash': 'Send x-amz-content-sha256 as 64 lower-case hex digits or a named payload mode.',
  'payload-mode-refused': 'Send the payload in a mode that is accepted here.',
  'payload-hash-mismatch': 'Send the very body that was hashed: its SHA-256 is not the signed one.',
  // the chunks of a body and what follows them
  'missing-decoded-length': 'Send x-amz-decoded-content-length: the bytes of the body without its framing.',
  'malformed-decoded-length': 'Send x-amz-decoded-content-length as plain decimal digits.',
  'malformed-content-encoding': 'Send Content-Encoding with aws-chunked in it once.',
  'trailer-refused': 'Send x-amz-trailer in the payload modes with trailers only, naming checksums, each once.',
  'malformed-chunk': 'Send each chunk as size in hex, its signature in the modes that sign, CRLF, data, CRLF.',
  'chunk-too-small': 'Send larger chunks: only the last one may be smaller than is allowed here.',
  'chunk-too-large': 'Send smaller chunks: a signed chunk is held in memory until its signature was checked.',
  'chunk-signature-mismatch': 'Sign the very data of each chunk, and chain each signature to the one before it.',
  'decoded-length-mismatch': 'Send as much data as x-amz-decoded-content-length says.',
  'incomplete-body': 'Send the whole body: it ended before its last chunk and trailers.',
  'malformed-trailer':
    'Send each trailer as NAME:VALUE and CRLF, and x-amz-trailer-signature last where chunks are signed.',
  'trailer-mismatch': 'Send the trailers that x-amz-trailer announces, all of them, each once, and no others.',
  'trailer-signature-mismatch': 'Sign the very trailers that are sent, chained to the signature of the last chunk.',
  'malformed-checksum': 'Send the checksum in base64, with as many bytes as its algorithm has.',
  'checksum-mismatch': 'Send the body again: its checksum is not the one that was sent with it.',
  // a form and its policy
  'form-target-refused':
    'Send the form to the URL of the bucket: /BUCKET, or / where the host names the bucket; without a query.',
  'malformed-form':
    'Send well-formed multipart/form-data: each part with its name and nothing that could be read in two ways.',
  'duplicate-form-field': 'Send each field of the form once, in one spelling.',
  'form-fields-too-large': 'Send less before the file: the fields of a form may have 20 KiB together.',
  'file-not-last': 'Send the file as the last field of the form, and one file only.',
  'missing-form-field': 'Bucket POST must contain a field of this name, before the file.',
  'post-policy-lives-too-long': 'Sign a policy that expires sooner: this one would hold longer than is allowed here.',
  'post-policy-not-yet-valid': 'Check the clock of the signer: the policy was signed in the future.',
  'post-policy-expired': 'Invalid according to Policy: Policy expired. Sign another one.',
  'malformed-post-policy':
    'Send the policy as base64 of JSON: an expiration such as 2026-11-22T12:00:00Z, and a list of conditions.',
  'form-field-not-in-policy': 'Invalid according to Policy: Extra input fields. Sign a condition for each field.',
  'post-policy-condition-failed': 'Invalid according to Policy: Policy Condition failed. Send what the policy allows.',
  'file-too-large': 'Your proposed upload exceeds the maximum allowed size of the policy: send a smaller file.',
  'file-too-small': 'Your proposed upload is smaller than the minimum allowed size of the policy: send a larger file.',
  // the signature
  'signature-mismatch': 'Check the secret access key, and that nothing changed the request after it was signed.',
  // the session
  'session-token-required': 'Send and sign x-amz-security-token: this access key is good with its session token only.',
  'malformed-session-token': 'Send the session token whole and unchanged, as it was issued for this access key.',
  'session-token-mismatch': 'Send a session token with the temporary access key that it was issued for, and no other.',
  'session-token-expired': 'Get new temporary credentials: the session has ended.',
  // the key
  'access-key-unknown': 'Use an access key that exists.',
  'access-key-disabled': 'Use an access key that is enabled.',
  'access-key-expired': 'Use an access key that has not expired.',
  'access-key-not-for-scope': 'Use an access key that is allowed in this region and service.',
  'scope-revoked': 'Use a new access key or sign on a later day: signatures of this credential scope are revoked.',
  'keys-unavailable': 'Try again later: the key of this credential scope cannot be had now.',
  'feed-stale': 'Try again later: news of revocations has been missing for too long.',
} as const satisfies Readonly<Record<string, string>>;

/** Why a request was refused; a closed set, stable for logs and for callers. */
export type RefusalReason = keyof typeof REFUSALS;

/** A refused request. */
export interface Refused {
  readonly verdict: 'refused';
  readonly reason: RefusalReason;
  /** What in the request it was, such as a header's name; never a key, a secret, or an expected signature. */
  readonly detail?: string;
  /** What the request looks like from here, signed headers and all, where the policy describes mismatches. */
  readonly description?: Description;
}

export function refuse(reason: RefusalReason, detail?: string): Refused {
  return detail === undefined ? { verdict: 'refused', reason } : { verdict: 'refused', reason, detail };
}

/** Tells a refusal from the outcome of any step. */
export function isRefused(outcome: object): outcome is Refused {
  const { verdict }: { readonly verdict?: unknown } = outcome;
  return verdict === 'refused';
}
