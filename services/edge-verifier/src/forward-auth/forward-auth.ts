import type { Answer, Refusal } from '@sigv4-keyd/sigv4-answers';
import { examineRequest, ofSession, type Examined, type RequestHead } from '@sigv4-keyd/sigv4-core';
import { sendAnswer } from '../send-answer.js';
import type { Arrival } from '../catch-all-app.js';
import type { Edge } from '../edge.js';
import { identityHeaders } from '../identity-headers.js';
import { checkMessage } from '../proxy/message-checks.js';
import { framingOf, incomingPayload, sayContinue } from '../proxy/incoming-payload.js';
import { refusalOf } from '../proxy/payload-error.js';
import type { BodyRules } from '../proxy/verified-payload.js';
import type { Stopwatch } from '../stopwatch.js';
import { originalRequest, type Origin } from './original-request.js';
import { verifySentPayload, type SentPayload } from './sent-payload.js';
import { verifyUnseenPayload, type Vouched } from './unseen-payload.js';

export interface ForwardAuthRules extends BodyRules {
  readonly origin: Origin;
  /** `sent`: the front sends the body along. Otherwise it keeps it, and signed ones are refused or only declared. */
  readonly bodies: 'refused' | 'declared' | 'sent';
}

/** Says yes or no to a front that keeps the request and its body to itself. */
export class ForwardAuth {
  readonly #edge: Edge;
  readonly #rules: ForwardAuthRules;

  constructor(edge: Edge, rules: ForwardAuthRules) {
    this.#edge = edge;
    this.#rules = rules;
  }

  /** Answers one question: 204 with the identity headers, or the refusal. Never rejects. */
  async serve(arrival: Arrival): Promise<void> {
    const { request, response, requestId, stopwatch } = arrival;
    const question: Question = { head: { method: '', target: '', rawHeaders: [] }, requestId, stopwatch };
    const outcome = await this.#decide(question, arrival).catch(refusalOf);
    if (outcome === undefined) {
      response.destroy();
    } else if ('reason' in outcome) {
      await this.#edge.refusalPace.turn();
      this.#edge.audit.refused(question, outcome, question.examined);
      sendAnswer(request, response, this.#asTheFrontTakesIt(this.#edge.answer(outcome, requestId)), this.#edge.clock);
    } else {
      this.#edge.audit.accepted(question, outcome.accepted);
      request.resume();
      // With any body, nginx would give up its connection to us.
      response.writeHead(204, [...identityHeaders(outcome.accepted, outcome.payloadSha256, requestId)]).end();
    }
  }

  async #decide(question: Question, arrival: Arrival): Promise<Vouched | Refusal> {
    const { request, target } = arrival;
    const asked = { method: request.method ?? '', target, rawHeaders: request.rawHeaders };
    const original = originalRequest(asked, this.#rules.origin);
    if ('reason' in original) return original;
    question.head = original.head;
    const { headers, httpVersion } = request;
    const refused = checkMessage({ method: original.head.method, headers, httpVersion });
    if (refused) return refused;
    const examined = examineRequest(original.head, this.#edge.policy, this.#edge.clock.now());
    if (examined.verdict === 'refused') return examined;
    question.examined = examined;
    const { accessKeyId, scope, algorithm, sessionToken } = examined;
    const finding = await this.#edge.keys.find(accessKeyId, scope, algorithm, sessionToken, question.requestId);
    if (!finding.found) return finding;
    const vouched = await this.#verify(
      { ...finding, examined: ofSession(examined, finding.session) },
      original.hasBody,
      arrival,
    );
    if ('reason' in vouched) return vouched;
    // What was revoked while a body came is not accepted any more.
    const reason = finding.objection();
    return reason === undefined ? vouched : { reason };
  }

  #verify(
    proof: Proof,
    hasBody: boolean,
    { request, response }: Arrival,
  ): Promise<Vouched | Refusal> | Vouched | Refusal {
    const { bodies, unsignedPayload, limits } = this.#rules;
    const { examined, key } = proof;
    if (bodies !== 'sent') return verifyUnseenPayload(examined, key, hasBody, { bodies, unsignedPayload });
    const begin = (): void => sayContinue(request, response);
    const parts = (largest: number): AsyncIterable<Buffer> =>
      incomingPayload(request, { ...limits, largest }, this.#edge.clock, begin);
    return verifySentPayload({ ...proof, framing: framingOf(request), parts }, this.#rules);
  }

  /**
   * nginx takes 401 and 403 for no, all else for an error, and drops the body: a refusal is a 403 then, an outage
   * stays one, and what AWS clients decide by is in headers, to make an answer of.
   */
  #asTheFrontTakesIt(answer: Answer): Answer {
    if (this.#rules.origin !== 'x-original') return answer;
    const { status, code } = answer;
    const isOutage = status >= 500 && status !== 501;
    const headers = [...answer.headers, 'x-keyd-status', String(status), 'x-keyd-code', code];
    return { ...answer, status: isOutage ? status : 403, headers };
  }
}

/** A request, the key that proves it, and what speaks against it by now. */
type Proof = Pick<SentPayload, 'examined' | 'key' | 'objection'>;

/** What is known of the original request so far, for the audit. */
interface Question {
  head: RequestHead;
  readonly requestId: string;
  readonly stopwatch: Stopwatch;
  examined?: Examined;
}
