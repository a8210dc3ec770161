import { answerShapeOf, type AnswerShape, type Refusal } from '@sigv4-keyd/sigv4-answers';
import {
  DEFAULT_CLOCK_SKEW_SECONDS,
  defaultModesOf,
  hostMatcher,
  isHostEntry,
  LONGEST_PRESIGNED_SECONDS,
  pathRuleOf,
  scopeDateOf,
  type VerifiableMode,
  type VerificationPolicy,
} from '@sigv4-keyd/sigv4-core';
import type { SigningKeySource } from './signing-key-source.js';

export interface Sigv4Options {
  readonly keys: SigningKeySource;
  /** Hosts that are served, as clients write them: `HOST`, `HOST:PORT` or `*.SUFFIX`. */
  readonly hosts: readonly string[];
  /** How far a client's clock may be off, either way; 900 by default. */
  readonly clockSkewSeconds?: number;
  /** Whether URLs may be presigned, and for how long; by default for up to seven days. */
  readonly presigned?: 'refused' | { readonly longestSeconds: number };
  /**
   * How bodies may be bound to the signature; see PayloadMode of sigv4-core. By default what the clients of the service
   * send, without `unsigned`.
   */
  readonly payloads?: readonly VerifiableMode[];
  /** Bytes of a body, without its framing, that is held in memory until it was verified; 1 MiB by default. */
  readonly longestBody?: number;
  /** For services that sign the normalised path (not S3): whether others pass. Refused by default. */
  readonly unnormalisedPaths?: 'refused' | 'accepted';
  /** The form of refusals; by default that of the service. */
  readonly answerShape?: AnswerShape;
  /** For development alone: refusals tell the canonical request and the string to sign. Off by default. */
  readonly debugSignatures?: boolean;
  /** Epoch milliseconds; by default the system's clock. */
  readonly now?: () => number;
  /** Told of every refusal, for the log. Nothing in it is secret; a client wrote what it says of itself. */
  readonly onRefused?: (refusal: Refusal, requestId: string) => void;
}

export interface Settings extends Required<
  Pick<Sigv4Options, 'keys' | 'payloads' | 'longestBody' | 'answerShape' | 'now' | 'onRefused'>
> {
  readonly policy: VerificationPolicy;
}

const LONGEST_BODY = 1024 * 1024;

/** The options with their defaults. Throws TypeError or RangeError for what could verify nothing, or too much. */
export function settingsFrom(options: Sigv4Options): Settings {
  const {
    keys,
    hosts,
    clockSkewSeconds = DEFAULT_CLOCK_SKEW_SECONDS,
    presigned = { longestSeconds: LONGEST_PRESIGNED_SECONDS },
    payloads = defaultModesOf(options.keys.service),
    longestBody = LONGEST_BODY,
    unnormalisedPaths = 'refused',
  } = options;
  if (hosts.length === 0) throw new TypeError('hosts is empty: name the hosts that are served');
  const entries = hosts.map((host) => host.toLowerCase());
  for (const entry of entries) {
    if (!isHostEntry(entry)) throw new TypeError(`hosts: ${entry} must be HOST, HOST:PORT or *.SUFFIX`);
  }
  inRange('clockSkewSeconds', clockSkewSeconds, 1, 3_600);
  inRange('longestBody', longestBody, 0, Number.MAX_SAFE_INTEGER);
  if (presigned !== 'refused')
    inRange('presigned.longestSeconds', presigned.longestSeconds, 1, LONGEST_PRESIGNED_SECONDS);
  const oldestMs = ((presigned === 'refused' ? 0 : presigned.longestSeconds) + clockSkewSeconds) * 1000;
  return {
    keys,
    payloads,
    longestBody,
    answerShape: options.answerShape ?? answerShapeOf(keys.service),
    now: options.now ?? Date.now,
    onRefused: options.onRefused ?? (() => undefined),
    policy: {
      region: keys.region,
      service: keys.service,
      algorithms: new Set(['AWS4-HMAC-SHA256'] as const),
      pathRule: pathRuleOf(keys.service),
      clockSkewSeconds,
      presigned,
      acceptsDate: (date, now) =>
        date >= scopeDateOf(now - oldestMs) && date <= scopeDateOf(now + clockSkewSeconds * 1000),
      acceptsHost: hostMatcher(entries),
      // An unsigned payload of no bytes leaves nothing unsigned: what comes decides, once the body is looked at.
      payloadModes: new Set([...payloads, 'unsigned']),
      sessionTokens: 'refused',
      unnormalisedPaths,
      describesMismatch: options.debugSignatures ?? false,
    },
  };
}

function inRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new RangeError(`${name} must be between ${least} and ${most}`);
}
