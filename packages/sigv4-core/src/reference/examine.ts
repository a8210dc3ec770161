import type { Authentication } from '../authentication.js';
import { parseAuthorizationHeader } from '../authorization-header.js';
import { parseAuthorizationQuery } from '../authorization-query.js';
import { checkDestination } from '../destination.js';
import { examined } from '../examined.js';
import type { Examined } from '../examined.js';
import { readHeaders } from '../header-table.js';
import type { HeaderTable } from '../header-table.js';
import { chooseMechanism } from '../mechanism.js';
import { choosePayloadMode } from '../payload-choice.js';
import type { VerificationPolicy } from '../policy.js';
import { parseQueryParameters } from '../query-parameters.js';
import type { QueryParameters } from '../query-parameters.js';
import { isRefused, refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';
import { coversRegion, parseRegionSet } from '../region-set.js';
import { isToken } from '../request-head.js';
import type { RequestHead } from '../request-head.js';
import { parseRequestTarget } from '../request-target.js';
import { readSessionToken } from '../session-token.js';
import { checkSignedHeaders } from '../signed-headers.js';
import { checkExpiry, checkFreshness, checkScopeDate } from '../signing-time.js';
import type { SigningTime } from '../signing-time.js';

/**
 * Every step that needs no key, in this order; the first that fails gives the reason.
 *  1. method, target, headers and query can be read in one way only
 *  2. one mechanism, and one that is accepted
 *  3. the algorithm is accepted; credential, signed headers and signature are well formed
 *  4. the scope's date is the day of x-amz-date, in the window of days; x-amz-date is fresh, or the URL unexpired
 *  5. region (or region set) and service are ours
 *  6. host and all x-amz-* headers are signed, all signed headers are there
 *  7. the host is served, the path is normalised where the rule signs the normalised one
 *  8. session token and payload mode are accepted
 *
 * `now` is in epoch milliseconds.
 */
export function examineRequest(head: RequestHead, policy: VerificationPolicy, now: number): Examined | Refused {
  if (!isToken(head.method)) return refuse('malformed-method');
  const target = parseRequestTarget(head.target);
  if (isRefused(target)) return target;
  const headers = readHeaders(head.rawHeaders);
  if (isRefused(headers)) return headers;
  const query = parseQueryParameters(target.query);
  if (isRefused(query)) return query;

  const mechanism = chooseMechanism(headers, query, policy);
  if (typeof mechanism === 'object') return mechanism;

  const authentication =
    mechanism === 'header'
      ? parseAuthorizationHeader(headers.get('authorization') ?? '', policy.algorithms)
      : parseAuthorizationQuery(query, policy.algorithms);
  if (isRefused(authentication)) return authentication;

  const amzDate = mechanism === 'header' ? headers.get('x-amz-date') : query.amz.get('x-amz-date');
  const time = checkTime(amzDate, authentication, query, policy, now);
  if (isRefused(time)) return time;

  const regions = checkRegion(authentication, { headers, query }, policy);
  if (isRefused(regions)) return regions;
  const refused =
    checkService(authentication, policy) ??
    checkSignedHeaders(headers, authentication.signedHeaders) ??
    checkDestination(headers.get('host'), target.path, policy);
  if (refused !== undefined) return refused;
  const token = readSessionToken({ headers, query }, authentication, policy);
  if (isRefused(token)) return token;
  const payload = choosePayloadMode(headers, query, authentication, policy);
  if (isRefused(payload)) return payload;

  const { algorithm, accessKeyId, scope, signedHeaders, signature } = authentication;
  return {
    verdict: 'examined',
    algorithm,
    accessKeyId,
    scope: { date: scope.date, region: policy.region, service: scope.service, terminator: scope.terminator },
    ...regions,
    mechanism,
    ...time,
    payload,
    signedHeaders,
    signature,
    ...token,
    request: {
      method: head.method,
      path: target.path,
      pathRule: policy.pathRule,
      parameters: query.all,
      mechanism,
      headers,
      signedHeaders,
    },
    describesMismatch: policy.describesMismatch ?? false,
    [examined]: true,
  };
}

function checkTime(
  amzDate: string | undefined,
  { mechanism, scope }: Authentication,
  query: QueryParameters,
  policy: VerificationPolicy,
  now: number,
): (SigningTime & Pick<Examined, 'amzDate'>) | Refused {
  if (amzDate === undefined) return refuse('missing-date');
  const signed = checkScopeDate(amzDate, scope, policy, now);
  if (isRefused(signed)) return signed;
  const { signedAt } = signed;
  if (mechanism === 'header') return checkFreshness(signedAt, policy, now) ?? { amzDate, signedAt };
  const expiry = checkExpiry(signedAt, query.amz.get('x-amz-expires'), policy, now);
  return isRefused(expiry) ? expiry : { amzDate, ...expiry };
}

/**
 * HMAC names one region in its scope, ECDSA several in the region set. Of the two places of the set the mechanism's own
 * counts, which the signature covers: every x-amz-* header must be signed, and every parameter is.
 */
function checkRegion(
  { algorithm, mechanism, scope }: Authentication,
  { headers, query }: { readonly headers: HeaderTable; readonly query: QueryParameters },
  policy: VerificationPolicy,
): Pick<Examined, 'regionSet'> | Refused {
  if (algorithm === 'AWS4-HMAC-SHA256') return scope.region === policy.region ? {} : refuse('wrong-region');
  const text = (mechanism === 'header' ? headers : query.amz).get('x-amz-region-set');
  if (text === undefined) return refuse('missing-region-set');
  const regionSet = parseRegionSet(text);
  if (isRefused(regionSet)) return regionSet;
  return coversRegion(regionSet, policy.region) ? { regionSet } : refuse('region-not-in-set');
}

function checkService({ scope }: Authentication, policy: VerificationPolicy): Refused | undefined {
  return scope.service === policy.service ? undefined : refuse('wrong-service');
}
