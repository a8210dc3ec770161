import type { Answer, Refusal } from '@sigv4-keyd/sigv4-answers';
import { examineRequest, type Examined, type RequestHead } from '@sigv4-keyd/sigv4-core';
import { sendAnswer } from '../send-answer.js';
import type { Arrival } from '../catch-all-app.js';
import type { Edge } from '../edge.js';
import { identityHeaders } from '../identity-headers.js';
import { originalRequest } from './original-request.js';
import { verifyUnseenPayload, type UnseenPayloadRules, type Vouched } from './unseen-payload.js';

/** Says yes or no to a front that keeps the request and its body to itself. */
export class ForwardAuth {
  readonly #edge: Edge;
  readonly #rules: UnseenPayloadRules;

  constructor(edge: Edge, rules: UnseenPayloadRules) {
    this.#edge = edge;
    this.#rules = rules;
  }

  /** Answers one question: 204 with the identity headers, or the refusal. Never rejects. */
  async serve({ request, response, requestId }: Arrival): Promise<void> {
    const question: Question = { head: { method: '', target: '', rawHeaders: [] }, requestId };
    const outcome = await this.#decide(question, request.rawHeaders).catch(internalError);
    if ('reason' in outcome) {
      this.#edge.audit.refused(question, outcome, question.examined);
      sendAnswer(request, response, asFrontsTakeIt(this.#edge.answer(outcome, requestId)), this.#edge.clock);
      return;
    }
    this.#edge.audit.accepted(question, outcome.accepted);
    request.resume();
    response.writeHead(204, [...identityHeaders(outcome.accepted, outcome.payloadSha256, requestId)]).end();
  }

  async #decide(question: Question, rawHeaders: readonly string[]): Promise<Vouched | Refusal> {
    const original = originalRequest(rawHeaders);
    if ('reason' in original) return original;
    question.head = original.head;
    const examined = examineRequest(original.head, this.#edge.policy, this.#edge.clock.now());
    if (examined.verdict === 'refused') return examined;
    question.examined = examined;
    const finding = await this.#edge.keys.find(examined.accessKeyId, examined.scope);
    if (!finding.found) return finding;
    const reason = finding.objection();
    if (reason !== undefined) return { reason };
    return verifyUnseenPayload(examined, finding.key, original.hasBody, this.#rules);
  }
}

/** What is known of the original request so far, for the audit. */
interface Question {
  head: RequestHead;
  readonly requestId: string;
  examined?: Examined;
}

function internalError(cause: unknown): Refusal {
  return { reason: 'internal-error', cause };
}

/** nginx takes 401 and 403 for no, and all else for an error: every refusal is a 403, every outage stays one. */
function asFrontsTakeIt(answer: Answer): Answer {
  return answer.status >= 500 && answer.status !== 501 ? answer : { ...answer, status: 403 };
}
