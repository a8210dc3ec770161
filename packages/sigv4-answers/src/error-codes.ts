import type { AnyRefusalReason } from './refusal.js';

/** How a reason is told to AWS clients: HTTP status, S3's code, the JSON protocols' type, the query protocol's code. */
export type ErrorCodes = readonly [status: number, s3: string, json: string, query: string];

const MALFORMED: ErrorCodes = [400, 'InvalidRequest', 'ValidationException', 'ValidationError'];
const INVALID_URI: ErrorCodes = [400, 'InvalidURI', 'ValidationException', 'ValidationError'];
const AUTHORIZATION_MALFORMED: ErrorCodes = [
  400,
  'AuthorizationHeaderMalformed',
  'IncompleteSignatureException',
  'IncompleteSignature',
];
const OTHER_SCOPE: ErrorCodes = [
  400,
  'AuthorizationHeaderMalformed',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
];
const QUERY_MALFORMED: ErrorCodes = [
  400,
  'AuthorizationQueryParametersError',
  'IncompleteSignatureException',
  'IncompleteSignature',
];
const DATE_MALFORMED: ErrorCodes = [403, 'AccessDenied', 'IncompleteSignatureException', 'IncompleteSignature'];
const DENIED: ErrorCodes = [403, 'AccessDenied', 'AccessDeniedException', 'AccessDenied'];
const TOO_OLD: ErrorCodes = [403, 'RequestTimeTooSkewed', 'InvalidSignatureException', 'RequestExpired'];
const IN_FUTURE: ErrorCodes = [403, 'RequestTimeTooSkewed', 'InvalidSignatureException', 'RequestInTheFuture'];
const MISMATCH: ErrorCodes = [403, 'SignatureDoesNotMatch', 'InvalidSignatureException', 'SignatureDoesNotMatch'];
const INCOMPLETE: ErrorCodes = [400, 'IncompleteBody', 'ValidationException', 'ValidationError'];
const CHUNK_SIZE: ErrorCodes = [403, 'InvalidChunkSizeError', 'ValidationException', 'ValidationError'];
const TRAILER_MALFORMED: ErrorCodes = [400, 'MalformedTrailerError', 'ValidationException', 'ValidationError'];
const POST_MALFORMED: ErrorCodes = [400, 'MalformedPOSTRequest', 'ValidationException', 'ValidationError'];
const POST_POLICY_MALFORMED: ErrorCodes = [400, 'InvalidPolicyDocument', 'ValidationException', 'ValidationError'];
const UNKNOWN_KEY: ErrorCodes = [403, 'InvalidAccessKeyId', 'UnrecognizedClientException', 'InvalidClientTokenId'];
const INVALID_TOKEN: ErrorCodes = [400, 'InvalidToken', 'UnrecognizedClientException', 'InvalidClientTokenId'];
const NO_METHOD: ErrorCodes = [405, 'MethodNotAllowed', 'ValidationException', 'ValidationError'];
const NOT_IMPLEMENTED: ErrorCodes = [501, 'NotImplemented', 'UnsupportedOperationException', 'UnsupportedOperation'];
const UNAVAILABLE: ErrorCodes = [503, 'ServiceUnavailable', 'ServiceUnavailableException', 'ServiceUnavailable'];

/** Every reason has a row; clients decide by these codes whether to try again, and with which clock or region. */
export const ERROR_CODES: Readonly<Record<AnyRefusalReason, ErrorCodes>> = {
  'malformed-method': NO_METHOD,
  'malformed-target': INVALID_URI,
  'malformed-header': MALFORMED,
  'duplicate-header': MALFORMED,
  'duplicate-parameter': MALFORMED,
  'missing-authentication': [403, 'AccessDenied', 'MissingAuthenticationTokenException', 'MissingAuthenticationToken'],
  'both-mechanisms': MALFORMED,
  'presigned-refused': DENIED,
  'header-parameter-conflict': MALFORMED,
  'unsupported-algorithm': AUTHORIZATION_MALFORMED,
  'malformed-authorization': AUTHORIZATION_MALFORMED,
  'malformed-credential': AUTHORIZATION_MALFORMED,
  'wrong-terminator': AUTHORIZATION_MALFORMED,
  'malformed-signed-headers': AUTHORIZATION_MALFORMED,
  'malformed-signature': AUTHORIZATION_MALFORMED,
  'missing-date': DATE_MALFORMED,
  'malformed-date': DATE_MALFORMED,
  'malformed-expires': QUERY_MALFORMED,
  'expires-too-long': QUERY_MALFORMED,
  'scope-date-mismatch': OTHER_SCOPE,
  'request-too-old': TOO_OLD,
  'request-in-future': IN_FUTURE,
  'presigned-expired': DENIED,
  'presigned-not-yet-valid': DENIED,
  'date-outside-window': TOO_OLD,
  'wrong-region': OTHER_SCOPE,
  'wrong-service': OTHER_SCOPE,
  'missing-region-set': AUTHORIZATION_MALFORMED,
  'malformed-region-set': AUTHORIZATION_MALFORMED,
  'region-not-in-set': OTHER_SCOPE,
  'host-not-signed': DENIED,
  'header-not-signed': DENIED,
  'signed-header-absent': MISMATCH,
  'host-not-served': DENIED,
  'path-not-normalised': INVALID_URI,
  'session-token-refused': INVALID_TOKEN,
  'malformed-payload-hash': [400, 'InvalidArgument', 'ValidationException', 'ValidationError'],
  'payload-mode-refused': NOT_IMPLEMENTED,
  'payload-hash-mismatch': [400, 'XAmzContentSHA256Mismatch', 'InvalidSignatureException', 'SignatureDoesNotMatch'],
  'missing-decoded-length': [411, 'MissingContentLength', 'ValidationException', 'ValidationError'],
  'malformed-decoded-length': [400, 'InvalidArgument', 'ValidationException', 'ValidationError'],
  'malformed-content-encoding': MALFORMED,
  'trailer-refused': MALFORMED,
  'malformed-chunk': MALFORMED,
  'chunk-too-small': CHUNK_SIZE,
  'chunk-too-large': CHUNK_SIZE,
  'chunk-signature-mismatch': MISMATCH,
  'decoded-length-mismatch': INCOMPLETE,
  'incomplete-body': INCOMPLETE,
  'malformed-trailer': TRAILER_MALFORMED,
  'trailer-mismatch': TRAILER_MALFORMED,
  'trailer-signature-mismatch': MISMATCH,
  'malformed-checksum': MALFORMED,
  'checksum-mismatch': [400, 'BadDigest', 'ValidationException', 'ValidationError'],
  'form-target-refused': NO_METHOD,
  'malformed-form': POST_MALFORMED,
  'duplicate-form-field': POST_MALFORMED,
  'form-fields-too-large': [400, 'MaxPostPreDataLengthExceededError', 'ValidationException', 'ValidationError'],
  'file-not-last': POST_MALFORMED,
  'missing-form-field': [400, 'InvalidArgument', 'ValidationException', 'ValidationError'],
  'post-policy-lives-too-long': POST_POLICY_MALFORMED,
  'post-policy-not-yet-valid': DENIED,
  'post-policy-expired': DENIED,
  'malformed-post-policy': POST_POLICY_MALFORMED,
  'form-field-not-in-policy': DENIED,
  'post-policy-condition-failed': DENIED,
  'file-too-large': [400, 'EntityTooLarge', 'ValidationException', 'ValidationError'],
  'file-too-small': [400, 'EntityTooSmall', 'ValidationException', 'ValidationError'],
  'signature-mismatch': MISMATCH,
  'session-token-required': UNKNOWN_KEY,
  'malformed-session-token': INVALID_TOKEN,
  'session-token-mismatch': INVALID_TOKEN,
  'session-token-expired': [400, 'ExpiredToken', 'ExpiredTokenException', 'ExpiredToken'],
  'access-key-unknown': UNKNOWN_KEY,
  'access-key-disabled': UNKNOWN_KEY,
  'access-key-expired': UNKNOWN_KEY,
  'access-key-not-for-scope': DENIED,
  'scope-revoked': DENIED,
  'keys-unavailable': UNAVAILABLE,
  'feed-stale': UNAVAILABLE,
  'malformed-http': MALFORMED,
  'headers-too-large': [431, 'RequestHeaderSectionTooLarge', 'ValidationException', 'ValidationError'],
  'ambiguous-length': MALFORMED,
  'method-refused': NO_METHOD,
  'upgrade-refused': NOT_IMPLEMENTED,
  'connection-names-signed-header': MALFORMED,
  'body-too-large': [400, 'EntityTooLarge', 'RequestEntityTooLargeException', 'RequestEntityTooLarge'],
  'request-timeout': [400, 'RequestTimeout', 'RequestTimeoutException', 'RequestTimeout'],
  'spool-unavailable': UNAVAILABLE,
  'upstream-unreachable': UNAVAILABLE,
  'upstream-failed': [502, 'BadGateway', 'ServiceUnavailableException', 'ServiceUnavailable'],
  'upstream-timeout': [504, 'GatewayTimeout', 'ServiceUnavailableException', 'ServiceUnavailable'],
  'internal-error': [500, 'InternalError', 'InternalFailure', 'InternalFailure'],
  'missing-original-request': MALFORMED,
  'ambiguous-original-request': MALFORMED,
  'reserved-header': MALFORMED,
  'body-not-seen': NOT_IMPLEMENTED,
};
