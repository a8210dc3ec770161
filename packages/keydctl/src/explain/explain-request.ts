import type { CapturedRequest } from './capture/captured-request.js';
import { clockFindings } from './clock.js';
import { endpointFindings, type Endpoint } from './endpoint.js';
import type { Finding } from './finding.js';
import { readPresented, type Presented } from './presented.js';
import { findMistakes } from './search.js';
import { caseOf } from './sketch.js';
import { structureFindings } from './structure.js';

/**
 * What came of trying: `right`: the signature is the right one; `explained`: it comes about by the mistakes;
 * `unexplained`: by none that is known; `not-tried`: there was no secret to try with.
 */
export type Verdict = 'right' | 'explained' | 'unexplained' | 'not-tried';

export interface SignatureExplanation {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly mechanism: Presented['mechanism'];
  readonly signedHeaders: readonly string[];
  readonly verdict: Verdict;
  /** By which the presented signature comes about. */
  readonly mistakes: readonly Finding[];
  /** What is wrong whatever the signature is. */
  readonly findings: readonly Finding[];
}

export interface Knowledge extends Endpoint {
  /** The secret of an access key. */
  readonly secretOf: (accessKeyId: string) => Promise<string | undefined>;
}

/** Says where the signature of a recorded request goes wrong. Rejects with a CommandError for one without. */
export async function explainRequest(request: CapturedRequest, knowledge: Knowledge): Promise<SignatureExplanation> {
  const presented = readPresented(request);
  const { accessKeyId, scope, mechanism, signedHeaders } = presented;
  const findings = [
    ...structureFindings(request, presented),
    ...endpointFindings(knowledge, presented),
    ...clockFindings(request, presented, request.at),
  ];
  const secret = await knowledge.secretOf(accessKeyId);
  const mistakes = secret === undefined ? undefined : findMistakes(caseOf(request, presented, secret));
  return {
    ...{ accessKeyId, scope, mechanism, signedHeaders },
    verdict: secret === undefined ? 'not-tried' : verdictOf(mistakes),
    mistakes: mistakes ?? [],
    findings,
  };
}

function verdictOf(mistakes: readonly Finding[] | undefined): Verdict {
  if (mistakes === undefined) return 'unexplained';
  return mistakes.length === 0 ? 'right' : 'explained';
}
