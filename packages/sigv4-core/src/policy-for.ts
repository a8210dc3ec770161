import type { VerifiableMode } from './accepted-modes.js';
import type { Algorithm } from './algorithm.js';
import { hostFinder } from './host-list.js';
import { isS3Service, pathRuleOf } from './path-rule.js';
import { LONGEST_PRESIGNED_SECONDS } from './policy.js';
import type { PostFormPolicy, VerificationPolicy } from './policy.js';
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
  /** Accepts forms as long as presigned URLs, where these are accepted and the service is S3 or its like. */
  readonly postForms?: boolean;
}

/** The policy of one service in one region; what nobody may choose follows from them. */
export function policyFor(
  { region, service }: { readonly region: string; readonly service: string },
  { algorithms, hosts, payloadModes, postForms = false, ...choices }: PolicyChoices,
): VerificationPolicy {
  const { presigned, clockSkewSeconds } = choices;
  const longestPresignedSeconds = presigned === 'refused' ? 0 : presigned.longestSeconds;
  const findHost = hostFinder(hosts);
  const takesForms = postForms && presigned !== 'refused' && isS3Service(service);
  const window = { longestPresignedSeconds, clockSkewSeconds };
  return {
    ...choices,
    region,
    service,
    algorithms: new Set(algorithms),
    pathRule: pathRuleOf(service),
    acceptsDate: (date, now) => isInWindow(window, date, now),
    acceptsHost: (host) => findHost(host) !== undefined,
    // An unsigned payload of no bytes leaves nothing unsigned, so whoever finds a body with it decides.
    payloadModes: new Set([...payloadModes, 'unsigned']),
    ...(takesForms && { postForms: postFormPolicy(presigned, findHost) }),
  };
}

/** A bucket is named by the host where that is below a wildcard, as object stores are told their domain. */
function postFormPolicy(
  { longestSeconds }: { readonly longestSeconds: number },
  findHost: ReturnType<typeof hostFinder>,
): PostFormPolicy {
  return {
    longestSeconds: Math.min(longestSeconds, LONGEST_PRESIGNED_SECONDS),
    bucketOfHost(host) {
      const match = findHost(host);
      return match?.kind === 'wildcard' ? match.labels : undefined;
    },
  };
}
