import { readHeaders } from '../header-table.js';
import { isS3Service } from '../path-rule.js';
import type { VerificationPolicy } from '../policy.js';
import { parseQueryParameters } from '../query-parameters.js';
import { isRefused, refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import type { RequestHead } from '../request-head.js';
import { parseRequestTarget } from '../request-target.js';
import { checkUnsignedHeaders } from '../signed-headers.js';
import { bucketOfTarget } from './post-form-target.js';

/** What is known of a form before its body. */
export interface PostFormHead {
  readonly bucket: string;
  /** The whole header, with the boundary. */
  readonly contentType: string;
}

/**
 * Whether a request is to be verified as a form: it has no other signature, and forms are accepted. Whatever cannot be
 * read is none, and is refused like any request.
 */
export function isPostForm(head: RequestHead, policy: VerificationPolicy): boolean {
  if (head.method !== 'POST' || policy.postForms === undefined || !isS3Service(policy.service)) return false;
  const headers = readHeaders(head.rawHeaders);
  const target = parseRequestTarget(head.target);
  if (isRefused(headers) || isRefused(target) || headers.has('authorization')) return false;
  const query = parseQueryParameters(target.query);
  if (isRefused(query) || query.amz.size > 0) return false;
  return /^multipart\/form-data(?:$|[\t ;])/i.test(headers.get('content-type') ?? '');
}

const NO_HEADER: ReadonlySet<string> = new Set();

/** Every step that needs neither body nor key. No header is signed, so none may say what becomes of the object. */
export function examinePostFormHead(head: RequestHead, policy: VerificationPolicy): PostFormHead | Refused {
  if (policy.postForms === undefined) return refuse('missing-authentication');
  const headers = readHeaders(head.rawHeaders);
  if (isRefused(headers)) return headers;
  const unsigned = checkUnsignedHeaders(headers, NO_HEADER);
  if (unsigned) return unsigned;
  if (headers.has('content-encoding')) return refuse('malformed-form', 'content-encoding');
  const host = headers.get('host');
  if (host === undefined || !policy.acceptsHost(host)) return refuse('host-not-served');
  const bucket = bucketOfTarget(head, host, policy.postForms.bucketOfHost);
  if (typeof bucket === 'object') return bucket;
  return { bucket, contentType: headers.get('content-type') ?? '' };
}
