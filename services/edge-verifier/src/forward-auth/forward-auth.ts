import type { GuardedKeyFinding } from '@sigv4-keyd/edge-keys';
import type { Answer, Refusal } from '@sigv4-keyd/sigv4-answers';
import { examineRequest, ofSession, type Examined, type RequestHead } from '@sigv4-keyd/sigv4-core';
import { sendAnswer } from '../send-answer.js';
import type { Arrival } from '../front-server.js';
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

  /**
   * Answers one question: 204 with the identity headers, or the refusal. Never rejects. At once where the key is held
   * and no body is to come.
   */
  serve(arrival: Arrival): Promise<void> | void {
    const { requestId, stopwatch } = arrival;
    const question: Question = { head: { method: '', target: '', rawHeaders: [] }, requestId, stopwatch };
    let outcome;
    try {
      outcome = this.#decide(question, arrival);
    } catch (error) {
      outcome = refusalOf(error);
    }
    if (!(outcome instanceof Promise)) return this.#answer(question, outcome, arrival);
    return outcome.catch(refusalOf).then((later) => this.#answer(question, later, arrival));
  }

  #answer(question: Question, outcome: Vouched | Refusal | undefined, arrival: Arrival): Promise<void> | void {
    if (outcome === undefined) {
      arrival.response.destroy();
    } else if ('reason' in outcome) {
      return this.#refuse(question, outcome, arrival);
    } else {
      this.#vouch(question, outcome, arrival);
    }
  }

  #vouch(question: Question, { accepted, payloadSha256 }: Vouched, arrival: Arrival): void {
    const { request, response, requestId } = arrival;
    const answer = (): void => {
      request.resume();
      // With any body, nginx would give up its connection to us.
      response.writeHead(204, identityHeaders(accepted, payloadSha256, requestId)).end();
    };
    this.#edge.audit.accepted(question, accepted, () => arrival.attempt(answer));
  }

  async #refuse(question: Question, refusal: Refusal, arrival: Arrival): Promise<void> {
    const { request, response, requestId } = arrival;
    await this.#edge.refusalPace.turn();
    const answer = (): void => {
      const taken = this.#asTheFrontTakesIt(this.#edge.answer(refusal, requestId));
      sendAnswer(request, response, taken, this.#edge.clock);
    };
    this.#edge.audit.refused(question, refusal, question.examined, () => arrival.attempt(answer));
  }

  #decide(question: Question, arrival: Arrival): Promise<Vouched | Refusal> | Vouched | Refusal {
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
    const finding = this.#edge.keys.find(accessKeyId, scope, algorithm, sessionToken, question.requestId);
    const conclude = (found: GuardedKeyFinding): Promise<Vouched | Refusal> | Vouched | Refusal =>
      this.#conclude(examined, found, original.hasBody, arrival);
    return finding instanceof Promise ? finding.then(conclude) : conclude(finding);
  }

  #conclude(
    examined: Examined,
    finding: GuardedKeyFinding,
    hasBody: boolean,
    arrival: Arrival,
  ): Promise<Vouched | Refusal> | Vouched | Refusal {
    if (!finding.found) return finding;
    const { key, session, objection } = finding;
    const proof = { examined: ofSession(examined, session), key, objection };
    const vouched = this.#verify(proof, hasBody, arrival);
    return vouched instanceof Promise
      ? vouched.then((later) => unlessObjected(later, objection))
      : unlessObjected(vouched, objection);
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

/** What was revoked while a body came is not accepted any more. */
function unlessObjected(vouched: Vouched | Refusal, objection: Proof['objection']): Vouched | Refusal {
  if ('reason' in vouched) return vouched;
  const reason = objection();
  return reason === undefined ? vouched : { reason };
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
