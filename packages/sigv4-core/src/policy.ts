import type { Algorithm } from './algorithm.js';
import type { PathRule } from './path-rule.js';
import type { PayloadModeKind } from './payload-mode.js';
import type { ScopeDate } from './scope-date.js';

/** How far the clock of a client may be off, either way, unless the policy says otherwise. */
export const DEFAULT_CLOCK_SKEW_SECONDS = 900;

/** The longest life of a presigned URL, seven days; no policy can allow more. */
export const LONGEST_PRESIGNED_SECONDS = 604_800;

/** Forms that browsers upload with, for S3 and its like. */
export interface PostFormPolicy {
  /** The longest time from x-amz-date to the expiration of the policy. */
  readonly longestSeconds: number;
  /** The bucket that a Host header names, undefined when it names none. */
  readonly bucketOfHost: (host: string) => string | undefined;
}

/** What a verifier accepts. */
export interface VerificationPolicy {
  readonly region: string;
  readonly service: string;
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly pathRule: PathRule;
  /** How far x-amz-date may be from now, either way. */
  readonly clockSkewSeconds: number;
  /** `longestSeconds` above seven days counts as seven days. */
  readonly presigned: 'refused' | { readonly longestSeconds: number };
  /** The window of days that keys are held for; `now` in epoch milliseconds. */
  readonly acceptsDate: (date: ScopeDate, now: number) => boolean;
  /** Told the value of the Host header, trimmed; its case and port are as they came. */
  readonly acceptsHost: (host: string) => boolean;
  readonly payloadModes: ReadonlySet<PayloadModeKind>;
  /** `signed`: whoever looks up the key judges them. `refused`: no temporary credentials, with or without a token. */
  readonly sessionTokens: 'refused' | 'signed';
  /** Absent: forms are requests without a signature. */
  readonly postForms?: PostFormPolicy;
  /**
   * For the standard path rule, which signs the normalised path: with `accepted`, one signature stands for every path
   * that is normalised to the same. The `s3` rule never normalises, and takes any path.
   */
  readonly unnormalisedPaths: 'refused' | 'accepted';
  /** For development alone: a refusal for a signature that does not match describes the request as it is seen here. */
  readonly describesMismatch?: boolean;
}
