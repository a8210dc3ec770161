import type { GuardedKeyFinding } from '@sigv4-keyd/edge-keys';
import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { examineRequest, isPostForm, ofSession, type Examined, type RequestHead } from '@sigv4-keyd/sigv4-core';
import type { AuditedRequest, Claim } from '../audit.js';
import type { Arrival } from '../front-server.js';
import type { Edge } from '../edge.js';
import { identityHeaders } from '../identity-headers.js';
import { sendAnswer } from '../send-answer.js';
import { tracedSending } from '../tracing/traced-upstream.js';
import { AnswerRelay, type Forwarded } from './answer-relay.js';
import { framingOf, incomingPayload, sayContinue } from './incoming-payload.js';
import { checkConnectionOptions, checkMessage } from './message-checks.js';
import { refusalOf } from './payload-error.js';
import { PostForms } from './post-form/post-forms.js';
import { unframedHeaders } from './unframed-headers.js';
import type { Upstream } from './upstream.js';
import { upstreamHeaders, type Scheme } from './upstream-headers.js';
import { verifyPayload, type PayloadRules, type Verified } from './verified-payload.js';

export interface ReverseProxyRules extends PayloadRules {
  readonly forwardAuthorization: boolean;
}

/** One request on its way through. */
interface Passage extends AuditedRequest {
  readonly head: RequestHead;
  readonly arrival: Arrival;
  readonly scheme: Scheme;
  /** Whose signature it says that it has, once that is known. */
  claim: Claim | undefined;
}

/** At once, where nothing has to be waited for. */
type Outcome = Promise<Verified | Refusal> | Verified | Refusal;

/** Verifies each request and sends it to the upstream: the very bytes that were verified, or nothing. */
export class ReverseProxy {
  readonly #edge: Edge;
  readonly #upstream: Upstream;
  readonly #rules: ReverseProxyRules;
  readonly #postForms: PostForms;

  constructor(edge: Edge, upstream: Upstream, rules: ReverseProxyRules) {
    this.#edge = edge;
    this.#upstream = upstream;
    this.#rules = rules;
    this.#postForms = new PostForms(edge, rules);
  }

  /** Answers one request. Never rejects. */
  serve(arrival: Arrival, scheme: Scheme): Promise<void> | void {
    const { request, target, requestId, stopwatch } = arrival;
    const head = { method: request.method ?? '', target, rawHeaders: request.rawHeaders };
    const passage: Passage = { head, requestId, stopwatch, arrival, scheme, claim: undefined };
    try {
      const outcome = checkMessage(request) ?? this.#verify(passage);
      if (!(outcome instanceof Promise)) return this.#conclude(passage, outcome);
      return outcome
        .then((verified) => this.#conclude(passage, verified))
        .catch((error: unknown) => this.#fail(passage, error));
    } catch (error) {
      this.#fail(passage, error);
    }
  }

  #conclude(passage: Passage, outcome: Verified | Refusal): Promise<void> | void {
    if ('reason' in outcome) return this.#edge.refusalPace.turn().then(() => this.#refuse(passage, outcome));
    // The upstream sees nothing that the log does not have.
    const forward = (): void => this.#forward(passage, outcome);
    this.#edge.audit.accepted(passage, outcome.accepted, () => passage.arrival.attempt(forward));
  }

  #refuse(passage: Passage, refusal: Refusal): void {
    const { request, response, requestId, attempt } = passage.arrival;
    const answer = (): void => sendAnswer(request, response, this.#edge.answer(refusal, requestId), this.#edge.clock);
    this.#edge.audit.refused(passage, refusal, passage.claim, () => attempt(answer));
  }

  #fail(passage: Passage, error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal === undefined) passage.arrival.response.destroy();
    else this.#refuse(passage, refusal);
  }

  /** Throws what the body is refused for. */
  #verify(passage: Passage): Outcome {
    const { head, arrival } = passage;
    const { policy, clock, keys } = this.#edge;
    if (isPostForm(head, policy)) {
      return this.#postForms.verify(head, arrival, (claim) => (passage.claim = claim));
    }
    const examined = examineRequest(head, policy, clock.now());
    if (examined.verdict === 'refused') return examined;
    passage.claim = examined;
    const lost = checkConnectionOptions(arrival.request, examined);
    if (lost) return lost;
    const { accessKeyId, scope, algorithm, sessionToken } = examined;
    const finding = keys.find(accessKeyId, scope, algorithm, sessionToken, arrival.requestId);
    return finding instanceof Promise
      ? finding.then((found) => this.#prove(arrival, examined, found))
      : this.#prove(arrival, examined, finding);
  }

  #prove({ request, response }: Arrival, examined: Examined, finding: GuardedKeyFinding): Outcome {
    if (!finding.found) return { reason: finding.reason };
    const { limits } = this.#rules;
    const { objection } = finding;
    const begin = (): void => sayContinue(request, response);
    const payload = {
      framing: framingOf(request),
      parts: (largest: number) => incomingPayload(request, { ...limits, largest }, this.#edge.clock, begin),
      objection,
    };
    const verified = verifyPayload(ofSession(examined, finding.session), finding.key, payload, this.#rules);
    return verified instanceof Promise
      ? verified.then((later) => unlessObjected(later, objection))
      : unlessObjected(verified, objection);
  }

  #forward(passage: Passage, verified: Verified): void {
    const { head, scheme, arrival } = passage;
    const { request, response, requestId } = arrival;
    const { traces, clock, log } = this.#edge;
    const { method, target: path } = head;
    const settle = (forwarded: Forwarded): void => {
      verified.dispose()?.catch((err: unknown) => log.error({ err }, 'what held a body could not be freed'));
      if (typeof forwarded === 'object') this.#refuse(passage, forwarded);
    };
    if (request.socket.destroyed) {
      settle('client-gone');
      return;
    }
    const { signedHeaders } = verified.accepted;
    const { origin } = this.#upstream;
    const traced = traces && tracedSending(traces, { origin, method, signedHeaders, response }, settle);
    const headers = upstreamHeaders(verified.isUnframed ? unframedHeaders(head.rawHeaders) : head.rawHeaders, {
      identity: identityHeaders(verified.accepted, verified.payloadSha256, requestId),
      way: { clientAddress: request.socket.remoteAddress ?? 'unknown', scheme, host: request.headers.host ?? '' },
      forwardAuthorization: this.#rules.forwardAuthorization,
      contentLength: verified.contentLength,
      traceHeaders: traced?.headers ?? [],
    });
    const relay = new AnswerRelay(arrival, clock, traced?.settle ?? settle);
    this.#upstream.send({ method, path, headers, body: verified.body }, relay);
  }
}

/** Asked right before a request counts as accepted: what was revoked while its body came is not. */
function unlessObjected(verified: Verified | Refusal, objection: () => Refusal['reason'] | undefined): Outcome {
  if ('reason' in verified) return verified;
  const reason = objection();
  if (reason === undefined) return verified;
  const refusal = { reason };
  return verified.dispose()?.then(() => refusal) ?? refusal;
}
