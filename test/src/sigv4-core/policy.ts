import { ecdsaPrivateKey, ecdsaPublicKey, kDate, kRegion, kSecret, kService, kSigning } from '@sigv4-keyd/sigv4-core';
import type {
  CredentialScope,
  EcdsaPublicKey,
  KSigning,
  PayloadModeKind,
  VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';

export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
export const ACCESS_KEY_ID = 'AKIDEXAMPLE';

const EVERY_HMAC_MODE: readonly PayloadModeKind[] = [
  'exact',
  'body',
  'unsigned',
  'streaming-signed',
  'streaming-signed-trailer',
  'streaming-unsigned-trailer',
  'streaming-events',
];

/** A policy that accepts all that an honest client may send to us-east-1/service under the standard rule. */
export function policyWith(changes: Partial<VerificationPolicy> = {}): VerificationPolicy {
  return {
    region: 'us-east-1',
    service: 'service',
    algorithms: new Set(['AWS4-HMAC-SHA256']),
    pathRule: 'standard',
    clockSkewSeconds: 900,
    presigned: { longestSeconds: 604_800 },
    acceptsDate: () => true,
    acceptsHost: () => true,
    payloadModes: new Set(EVERY_HMAC_MODE),
    sessionTokens: 'signed',
    unnormalisedPaths: 'refused',
    ...changes,
  };
}

export function signingKey(scope: CredentialScope, secret = SECRET): KSigning {
  return kSigning(kService(kRegion(kDate(kSecret(secret), scope.date), scope.region), scope.service));
}

export function publicKey(secret = SECRET): EcdsaPublicKey {
  return ecdsaPublicKey(ecdsaPrivateKey(secret, ACCESS_KEY_ID));
}
