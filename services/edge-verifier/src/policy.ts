import { windowRuleOf, type WindowSettings } from '@sigv4-keyd/edge-keys';
import { isInWindow, type EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import { hostMatcher, pathRuleOf, type VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import type { Configuration } from './configuration.js';
import { acceptedModes } from './payload-modes.js';

export type PolicySettings = WindowSettings &
  Pick<Configuration, 'algorithms' | 'externalHosts' | 'payloadModes' | 'unnormalisedPaths' | 'debugSignatures'>;

/** What this edge accepts. Region and service are those of its own certificate. */
export function verificationPolicy(own: EdgeIdentity, settings: PolicySettings): VerificationPolicy {
  const window = windowRuleOf(settings);
  return {
    region: own.region,
    service: own.service,
    algorithms: new Set(settings.algorithms),
    pathRule: pathRuleOf(own.service),
    clockSkewSeconds: settings.clockSkew,
    presigned: settings.presigned ? { longestSeconds: settings.longestPresigned } : 'refused',
    acceptsDate: (date, now) => isInWindow(window, date, now),
    acceptsHost: hostMatcher(settings.externalHosts),
    // An unsigned payload of no bytes leaves nothing unsigned, so each front decides by the body that it finds.
    payloadModes: new Set([...acceptedModes(settings.payloadModes, own.service), 'unsigned']),
    sessionTokens: 'refused',
    unnormalisedPaths: settings.unnormalisedPaths ? 'accepted' : 'refused',
    describesMismatch: settings.debugSignatures,
  };
}
