import type { VerifiableMode } from './accepted-modes.js';
import type { Algorithm } from './algorithm.js';
import { hostMatcher } from './host-list.js';
import { pathRuleOf } from './path-rule.js';
import type { VerificationPolicy } from './policy.js';
import { isInWindow } from './window-of-days.js';

/** What whoever runs an endpoint may choose of its policy. */
export interface PolicyChoices extends Pick<
  VerificationPolicy,
  'clockSkewSeconds' | 'presigned' | 'sessionTokens' | 'unnormalisedPaths' | 'describesMismatch'
> {
  readonly algorithms: readonly Algorithm[];
  /** Hosts that are served, each in a form that `isHostEntry` takes. */
  readonly hosts: readonly string[];
  readonly payloadModes: readonly VerifiableMode[];
}

/** The policy of one service in one region; what nobody may choose follows from them. */
export function policyFor(
  { region, service }: { readonly region: string; readonly service: string },
  { algorithms, hosts, payloadModes, ...choices }: PolicyChoices,
): VerificationPolicy {
  const { presigned, clockSkewSeconds } = choices;
  const longestPresignedSeconds = presigned === 'refused' ? 0 : presigned.longestSeconds;
  const window = { longestPresignedSeconds, clockSkewSeconds };
  return {
    ...choices,
    region,
    service,
    algorithms: new Set(algorithms),
    pathRule: pathRuleOf(service),
    acceptsDate: (date, now) => isInWindow(window, date, now),
    acceptsHost: hostMatcher(hosts),
    // An unsigned payload of no bytes leaves nothing unsigned, so whoever finds a body with it decides.
    payloadModes: new Set([...payloadModes, 'unsigned']),
  };
}
