import { answerShapeOf, type AnswerShape, type Refusal } from '@sigv4-keyd/sigv4-answers';
import {
  DEFAULT_CLOCK_SKEW_SECONDS,
  defaultModesOf,
  isHostEntry,
  LONGEST_PRESIGNED_SECONDS,
  policyFor,
  type Algorithm,
  type SignatureKeySource,
  type VerifiableMode,
  type VerificationPolicy,
  type WindowRule,
} from '@sigv4-keyd/sigv4-core';

export interface Sigv4Options {
  /** `staticSecrets(...)`, or the keys of an edge. */
  readonly keys: SignatureKeySource;
  /** Hosts that are served, as clients write them: `HOST`, `HOST:PORT` or `*.SUFFIX`. */
  readonly hosts: readonly string[];
  /** Signatures that are accepted; by default AWS4-HMAC-SHA256 alone. */
  readonly algorithms?: readonly Algorithm[];
  /** How far a client's clock may be off, either way; by default as far as keys are held for, at most 900. */
  readonly clockSkewSeconds?: number;
  /** Whether URLs may be presigned, and for how long; by default as long as keys are held for, at most seven days. */
  readonly presigned?: 'refused' | { readonly longestSeconds: number };
  /**
   * How bodies may be bound to the signature; see PayloadMode of sigv4-core. By default what the clients of the service
   * send, without `unsigned`.
   */
  readonly payloads?: readonly VerifiableMode[];
  /** Bytes of a body, without its framing, that is held in memory until it was verified; 1 MiB by default. */
  readonly longestBody?: number;
  /** Temporary credentials: by default accepted by an edge's keys, which judge their tokens; no others can. */
  readonly sessionTokens?: 'refused';
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
const LARGEST_CLOCK_SKEW_SECONDS = 3_600;

/** The options with their defaults. Throws TypeError or RangeError for what could verify nothing, or too much. */
export function settingsFrom(options: Sigv4Options): Settings {
  const { keys, payloads = defaultModesOf(options.keys.service), longestBody = LONGEST_BODY } = options;
  inRange('longestBody', longestBody, 0, Number.MAX_SAFE_INTEGER);
  return {
    keys,
    payloads,
    longestBody,
    answerShape: options.answerShape ?? answerShapeOf(keys.service),
    now: options.now ?? Date.now,
    onRefused: options.onRefused ?? (() => undefined),
    policy: policyFor(keys, {
      ...signedTimesFrom(options, keys.window),
      algorithms: options.algorithms ?? ['AWS4-HMAC-SHA256'],
      hosts: hostsFrom(options.hosts),
      payloadModes: payloads,
      sessionTokens: keys.judgesSessionTokens === true ? (options.sessionTokens ?? 'signed') : 'refused',
      unnormalisedPaths: options.unnormalisedPaths ?? 'refused',
      describesMismatch: options.debugSignatures ?? false,
    }),
  };
}

function hostsFrom(hosts: readonly string[]): readonly string[] {
  if (hosts.length === 0) throw new TypeError('hosts is empty: name the hosts that are served');
  const entries = hosts.map((host) => host.toLowerCase());
  for (const entry of entries) {
    if (!isHostEntry(entry)) throw new TypeError(`hosts: ${entry} must be HOST, HOST:PORT or *.SUFFIX`);
  }
  return entries;
}

/** How long signatures live. Nothing may live for longer than keys, and what is known of revocations, are held. */
function signedTimesFrom(
  options: Pick<Sigv4Options, 'clockSkewSeconds' | 'presigned'>,
  window: WindowRule | undefined,
): Pick<VerificationPolicy, 'clockSkewSeconds' | 'presigned'> {
  const longestSkew = window?.clockSkewSeconds ?? LARGEST_CLOCK_SKEW_SECONDS;
  const longestLife = window?.longestPresignedSeconds ?? LONGEST_PRESIGNED_SECONDS;
  const { clockSkewSeconds = Math.min(DEFAULT_CLOCK_SKEW_SECONDS, longestSkew) } = options;
  const { presigned = longestLife === 0 ? 'refused' : { longestSeconds: longestLife } } = options;
  const limit = window && 'as keys are held for no longer';
  inRange('clockSkewSeconds', clockSkewSeconds, 1, longestSkew, limit);
  if (presigned !== 'refused') inRange('presigned.longestSeconds', presigned.longestSeconds, 1, longestLife, limit);
  return { clockSkewSeconds, presigned };
}

function inRange(name: string, value: number, least: number, most: number, why?: string): void {
  if (value >= least && value <= most) return;
  throw new RangeError(`${name} must be between ${least} and ${most}${why === undefined ? '' : `, ${why}`}`);
}
