import type { GuardedKeySource } from '@sigv4-keyd/edge-keys';
import { spiffeIdOf, type Clock, type EdgeIdentity } from '@sigv4-keyd/hop-protocol';
import type { AwaitedLines, Logger } from '@sigv4-keyd/service-skeleton';
import { answerShapeOf, answerTo, type Answer, type Refusal } from '@sigv4-keyd/sigv4-answers';
import type { VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import { Audit } from './audit.js';
import type { Configuration } from './configuration.js';
import { verificationPolicy, type PolicySettings } from './policy.js';
import { RefusalPace } from './refusal-pace.js';
import { RefusalTurns, type Turns } from './refusal-turns.js';
import type { VerdictMeter } from './request-meter.js';
import type { EdgeTraces } from './tracing/traced-front.js';

/** What every front of the edge verifies, answers and records with. */
export interface Edge {
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy: VerificationPolicy;
  readonly keys: GuardedKeySource;
  readonly audit: Audit;
  readonly refusalPace: RefusalPace;
  /** Undefined: nothing is traced. */
  readonly traces: EdgeTraces | undefined;
  readonly answer: (refusal: Refusal, requestId: string) => Answer;
  /** The answer to what could not be read as a request. */
  readonly answerUnreadable: (refusal: Refusal, requestId: string) => Answer;
}

export type EdgeSettings = PolicySettings & Pick<Configuration, 'answerShape' | 'refusalsPerSecond'>;

export interface EdgeParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of `log`: nobody is answered before the line of the verdict is written. */
  readonly lines: AwaitedLines;
  readonly keys: GuardedKeySource;
  readonly meter: VerdictMeter;
  /** Which refusals are answered at once; by default this process alone decides. */
  readonly turns?: Turns;
  /** Absent: nothing is traced. */
  readonly traces?: EdgeTraces | undefined;
}

export function createEdge(own: EdgeIdentity, settings: EdgeSettings, parts: EdgeParts): Edge {
  const { clock, log, lines, keys, meter, traces } = parts;
  const { turns = new RefusalTurns({ perSecond: settings.refusalsPerSecond, clock }) } = parts;
  const policy = verificationPolicy(own, settings);
  const shape = settings.answerShape === 'auto' ? answerShapeOf(own.service) : settings.answerShape;
  const { region, clockSkewSeconds } = policy;
  const answer: Edge['answer'] = (refusal, requestId) =>
    answerTo(refusal, { shape, region, clockSkewSeconds, requestId, now: clock.now() });
  return {
    clock,
    log,
    policy,
    keys,
    audit: new Audit(spiffeIdOf(own), { log, lines, keys, meter, isTraced: traces !== undefined }),
    traces,
    refusalPace: new RefusalPace({ turns, clock }),
    answer,
    answerUnreadable(refusal, requestId) {
      meter.refused(refusal.reason, undefined);
      return answer(refusal, requestId);
    },
  };
}
