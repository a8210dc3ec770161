import type { AnyRefusalReason } from './refusal.js';

/** How a reason is told to AWS clients: HTTP status, S3's error code, and the error type of the JSON protocols. */
export type ErrorCodes = readonly [status: number, s3: string, json: string];

const MALFORMED: ErrorCodes = [400, 'InvalidRequest', 'ValidationException'];
const AUTHORIZATION_MALFORMED: ErrorCodes = [400, 'AuthorizationHeaderMalformed', 'IncompleteSignatureException'];
const QUERY_MALFORMED: ErrorCodes = [400, 'AuthorizationQueryParametersError', 'IncompleteSignatureException'];
const DENIED: ErrorCodes = [403, 'AccessDenied', 'AccessDeniedException'];
const SKEWED: ErrorCodes = [403, 'RequestTimeTooSkewed', 'InvalidSignatureException'];
const UNKNOWN_KEY: ErrorCodes = [403, 'InvalidAccessKeyId', 'UnrecognizedClientException'];
const UNAVAILABLE: ErrorCodes = [503, 'ServiceUnavailable', 'ServiceUnavailableException'];

/** Every reason has a row; clients decide by these codes whether to try again, and with which clock or region. */
export const ERROR_CODES: Readonly<Record<AnyRefusalReason, ErrorCodes>> = {
  'malformed-method': [405, 'MethodNotAllowed', 'ValidationException'],
  'malformed-target': [400, 'InvalidURI', 'ValidationException'],
  'malformed-header': MALFORMED,
  'duplicate-header': MALFORMED,
  'duplicate-parameter': MALFORMED,
  'missing-authentication': [403, 'AccessDenied', 'MissingAuthenticationTokenException'],
  'both-mechanisms': MALFORMED,
  'presigned-refused': DENIED,
  'header-parameter-conflict': MALFORMED,
  'unsupported-algorithm': AUTHORIZATION_MALFORMED,
  'malformed-authorization': AUTHORIZATION_MALFORMED,
  'malformed-credential': AUTHORIZATION_MALFORMED,
  'wrong-terminator': AUTHORIZATION_MALFORMED,
  'malformed-signed-headers': AUTHORIZATION_MALFORMED,
  'malformed-signature': AUTHORIZATION_MALFORMED,
  'missing-date': [403, 'AccessDenied', 'IncompleteSignatureException'],
  'malformed-date': [403, 'AccessDenied', 'IncompleteSignatureException'],
  'malformed-expires': QUERY_MALFORMED,
  'expires-too-long': QUERY_MALFORMED,
  'scope-date-mismatch': AUTHORIZATION_MALFORMED,
  'request-too-old': SKEWED,
  'request-in-future': SKEWED,
  'presigned-expired': DENIED,
  'presigned-not-yet-valid': DENIED,
  'date-outside-window': SKEWED,
  'wrong-region': AUTHORIZATION_MALFORMED,
  'wrong-service': AUTHORIZATION_MALFORMED,
  'host-not-signed': DENIED,
  'header-not-signed': DENIED,
  'signed-header-absent': [403, 'SignatureDoesNotMatch', 'InvalidSignatureException'],
  'host-not-served': DENIED,
  'path-not-normalised': [400, 'InvalidURI', 'ValidationException'],
  'session-token-refused': [400, 'InvalidToken', 'UnrecognizedClientException'],
  'malformed-payload-hash': [400, 'InvalidArgument', 'ValidationException'],
  'payload-mode-refused': [501, 'NotImplemented', 'UnsupportedOperationException'],
  'payload-hash-mismatch': [400, 'XAmzContentSHA256Mismatch', 'InvalidSignatureException'],
  'signature-mismatch': [403, 'SignatureDoesNotMatch', 'InvalidSignatureException'],
  'access-key-unknown': UNKNOWN_KEY,
  'access-key-disabled': UNKNOWN_KEY,
  'access-key-expired': UNKNOWN_KEY,
  'access-key-not-for-scope': DENIED,
  'scope-revoked': DENIED,
  'keys-unavailable': UNAVAILABLE,
  'feed-stale': UNAVAILABLE,
  'malformed-http': MALFORMED,
  'headers-too-large': [431, 'RequestHeaderSectionTooLarge', 'ValidationException'],
  'ambiguous-length': MALFORMED,
  'method-refused': [405, 'MethodNotAllowed', 'ValidationException'],
  'upgrade-refused': [501, 'NotImplemented', 'UnsupportedOperationException'],
  'connection-names-signed-header': MALFORMED,
  'body-too-large': [400, 'EntityTooLarge', 'RequestEntityTooLargeException'],
  'request-timeout': [400, 'RequestTimeout', 'RequestTimeoutException'],
  'spool-unavailable': UNAVAILABLE,
  'upstream-unreachable': UNAVAILABLE,
  'upstream-failed': [502, 'BadGateway', 'ServiceUnavailableException'],
  'upstream-timeout': [504, 'GatewayTimeout', 'ServiceUnavailableException'],
  'internal-error': [500, 'InternalError', 'InternalFailure'],
  'missing-original-request': MALFORMED,
  'ambiguous-original-request': MALFORMED,
  'body-not-seen': [501, 'NotImplemented', 'UnsupportedOperationException'],
};
