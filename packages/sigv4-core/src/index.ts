export type { Accepted } from './accepted.js';
export { defaultModesOf, VERIFIABLE_MODES } from './accepted-modes.js';
export type { VerifiableMode } from './accepted-modes.js';
export { ALGORITHMS } from './algorithm.js';
export type { Algorithm } from './algorithm.js';
export { formatAmzDate, parseAmzDate } from './amz-date.js';
export type { AmzDate } from './amz-date.js';
export { bytesApart } from './bytes-apart.js';
export { canonicalHeaders, canonicalHeaderValue } from './canonical-headers.js';
export { canonicalQuery } from './canonical-query.js';
export type { Mechanism } from './canonical-query.js';
export { canonicalRequest } from './canonical-request.js';
export type { SignableRequest } from './canonical-request.js';
export { canonicalUri, isNormalisedPath, normalisePath } from './canonical-uri.js';
export { CHECKSUM_BYTES, isChecksumHeader, parseChecksum } from './chunked/checksum-header.js';
export type { ChecksumHeader } from './chunked/checksum-header.js';
export { ChunkDecoder } from './chunked/chunk-decoder.js';
export type { ChunkedRequest, ChunkLimits, ChunksEnded, ChunksVerified } from './chunked/chunk-decoder.js';
export { ChunkEncoder, framedLength } from './chunked/chunk-encoder.js';
export { chunkStringToSign, trailerStringToSign } from './chunked/chunk-string-to-sign.js';
export type { ChunkScope } from './chunked/chunk-string-to-sign.js';
export { isChunkedMode } from './chunked/chunked-mode.js';
export type { ChunkedMode } from './chunked/chunked-mode.js';
export type { ChunkedPayload } from './chunked/chunked-payload.js';
export { withoutAwsChunked } from './chunked/content-encoding.js';
export { bytesOfPiece } from './chunked/piece-release.js';
export type { PayloadPiece } from './chunked/piece-release.js';
export { signChunkedRequest } from './chunked/sign-chunked.js';
export type { ChunkedSigned, ChunkedSigning } from './chunked/sign-chunked.js';
export { SignatureChain } from './chunked/signature-chain.js';
export type { ChainLink } from './chunked/signature-chain.js';
export { canonicalTrailers } from './chunked/trailers.js';
export type { Trailers } from './chunked/trailers.js';
export { concludeRequest } from './conclude.js';
export {
  formatCredentialScope,
  formatMultiRegionScope,
  isAccessKeyId,
  isRegionName,
  isServiceName,
  parseCredential,
  parseMultiRegionCredential,
} from './credential-scope.js';
export type { Credential, CredentialScope, MultiRegionScope } from './credential-scope.js';
export type { Credentials, MultiRegionCredentials } from './credentials.js';
export { describeRequest } from './describe.js';
export type { Description } from './description.js';
export {
  ECDSA_PUBLIC_KEY_BYTES,
  ecdsaPrivateKey,
  ecdsaPublicKey,
  exportEcdsaPublicKey,
  importEcdsaPublicKey,
} from './ecdsa-key-pair.js';
export type { EcdsaPrivateKey, EcdsaPublicKey } from './ecdsa-key-pair.js';
export { scalarFromCandidate } from './ecdsa-scalar.js';
export { ecdsaSignatureMatches, ecdsaSignatureOf, isEcdsaSignature } from './ecdsa-signature.js';
export { examineRequest } from './examine.js';
export type { Examined } from './examined.js';
export { commonSpelling } from './header-spelling.js';
export { readHeaders } from './header-table.js';
export type { HeaderTable } from './header-table.js';
export { hostFinder, isHostEntry } from './host-list.js';
export type { HostMatch } from './host-list.js';
export {
  exportKDate,
  exportKRegion,
  exportKService,
  kRegionBytes,
  kRegionBytesOfSecret,
  kServiceBytes,
  exportKSigning,
  importKDate,
  importKRegion,
  importKService,
  importKSigning,
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  kSigningBytes,
} from './key-ladder.js';
export type { KDate, KRegion, KSecret, KService, KSigning, ProtocolVersion, Purpose, Rung } from './key-ladder.js';
export type {
  RecordedRequest,
  KeyFinding,
  KeyLookup,
  KeyMissingReason,
  SessionTokenReason,
  SignatureKeySource,
} from './key-source.js';
export { isS3Service, pathRuleOf } from './path-rule.js';
export type { PathRule } from './path-rule.js';
export { EMPTY_BODY_SHA256, sha256Hex } from './payload-hash.js';
export { isSha256Hex, parsePayloadMode, PAYLOAD_TOKENS } from './payload-mode.js';
export type { PayloadMode, PayloadModeKind } from './payload-mode.js';
export { policyFor } from './policy-for.js';
export type { PolicyChoices } from './policy-for.js';
export { DEFAULT_CLOCK_SKEW_SECONDS, LONGEST_PRESIGNED_SECONDS } from './policy.js';
export type { PostFormPolicy, VerificationPolicy } from './policy.js';
export { checkFileLength, concludePostForm } from './post-policy/conclude-post-form.js';
export type { Condition } from './post-policy/condition.js';
export { examinePostForm } from './post-policy/examine-post-form.js';
export type { ExaminedPostForm } from './post-policy/examine-post-form.js';
export { examinePostFormHead, isPostForm } from './post-policy/examine-post-form-head.js';
export type { PostFormHead } from './post-policy/examine-post-form-head.js';
export { isFieldName } from './post-policy/form-fields.js';
export type { FormFields, PostForm } from './post-policy/form-fields.js';
export type { FileLength } from './post-policy/judge-form.js';
export { parsePostPolicy } from './post-policy/parse-post-policy.js';
export type { PostPolicy } from './post-policy/parse-post-policy.js';
export { signPostPolicy } from './post-policy/sign-post-policy.js';
export type { PostFormFields, PostPolicySigning, UnsignedPostPolicy } from './post-policy/sign-post-policy.js';
export { parseQueryParameters } from './query-parameters.js';
export type { QueryParameter, QueryParameters } from './query-parameters.js';
export * as reference from './reference/index.js';
export { isRefused, REFUSALS, refuse } from './refusal.js';
export type { RefusalReason, Refused } from './refusal.js';
export { coversRegion, parseRegionSet } from './region-set.js';
export type { RegionSet } from './region-set.js';
export type { RequestHead } from './request-head.js';
export { parseRequestTarget } from './request-target.js';
export type { RequestTarget } from './request-target.js';
export { addDays, DAY_MS, isScopeDate, parseScopeDate, scopeDateOf, startOfScopeDate } from './scope-date.js';
export type { ScopeDate } from './scope-date.js';
export { isSessionAccessKeyId, ofSession } from './session-token.js';
export type { SessionIdentity } from './session-token.js';
export { signRequest, signRequestV4a } from './sign-header.js';
export type { HeaderSigned, HeaderSigning, MultiRegionHeaderSigning } from './sign-header.js';
export { presignRequest, presignRequestV4a } from './sign-presigned.js';
export type { MultiRegionPresignedSigning, PresignedSigning, PresignedTarget } from './sign-presigned.js';
export type { SignatureKey } from './signature-key.js';
export { isSignature, signatureMatches, signatureOf } from './signature.js';
export { parseSignedHeaders } from './signed-headers.js';
export type { SigningPayload } from './signing-payload.js';
export type { SigningTime } from './signing-time.js';
export { formatSignedScope, stringToSign } from './string-to-sign.js';
export type { SignedTerms } from './string-to-sign.js';
export { trimBlanks } from './trim-blanks.js';
export type { UnsignedRequest } from './unsigned-request.js';
export { verifyRequest } from './verify.js';
export type { VerificationInputs } from './verify.js';
export { isInWindow, mostDaysInWindow, TOMORROW_FROM_MS, windowOfDays } from './window-of-days.js';
export type { WindowRule } from './window-of-days.js';
export type { SecretAccessKey } from './secret-access-key.js';
