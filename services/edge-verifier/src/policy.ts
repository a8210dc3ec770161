import type { EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import { policyFor, type VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';
import { acceptedModes } from './payload-modes.js';

export type PolicySettings = Pick<
  Configuration,
  | 'algorithms'
  | 'clockSkew'
  | 'debugSignatures'
  | 'externalHosts'
  | 'longestPresigned'
  | 'payloadModes'
  | 'postForms'
  | 'presigned'
  | 'sessionTokens'
  | 'unnormalisedPaths'
>;

/** What this edge accepts. Region and service are those of its own certificate. */
export function verificationPolicy(own: EdgeIdentity, settings: PolicySettings): VerificationPolicy {
  return policyFor(own, {
    algorithms: settings.algorithms,
    hosts: settings.externalHosts,
    clockSkewSeconds: settings.clockSkew,
    presigned: settings.presigned ? { longestSeconds: settings.longestPresigned } : 'refused',
    payloadModes: acceptedModes(settings.payloadModes, own.service),
    postForms: settings.postForms,
    sessionTokens: settings.sessionTokens ? 'signed' : 'refused',
    unnormalisedPaths: settings.unnormalisedPaths ? 'accepted' : 'refused',
    describesMismatch: settings.debugSignatures,
  });
}
