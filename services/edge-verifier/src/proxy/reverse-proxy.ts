import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { examineRequest, isPostForm, ofSession, type RequestHead } from '@sigv4-keyd/sigv4-core';
import type { Claim } from '../audit.js';
import { sendAnswer } from '../send-answer.js';
import type { Arrival } from '../front-server.js';
import type { Edge } from '../edge.js';
import { identityHeaders } from '../identity-headers.js';
import { tracedSending } from '../tracing/traced-upstream.js';
import { framingOf, incomingPayload, sayContinue } from './incoming-payload.js';
import { checkConnectionOptions, checkMessage } from './message-checks.js';
import { refusalOf } from './payload-error.js';
import { PostForms } from './post-form/post-forms.js';
import { unframedHeaders } from './unframed-headers.js';
import type { Forwarded, Upstream } from './upstream.js';
import { upstreamHeaders, type Scheme } from './upstream-headers.js';
import { verifyPayload, type PayloadRules, type Verified } from './verified-payload.js';

export interface ReverseProxyRules extends PayloadRules {
  readonly forwardAuthorization: boolean;
}

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
  async serve(arrival: Arrival, scheme: Scheme): Promise<void> {
    const { request, response, target, requestId, stopwatch } = arrival;
    const head: RequestHead = { method: request.method ?? '', target, rawHeaders: request.rawHeaders };
    const audited = { head, requestId, stopwatch };
    let claim: Claim | undefined;
    const onClaim = (claimed: Claim): void => {
      claim = claimed;
    };
    const refuse = (refusal: Refusal): void => {
      const answer = (): void => sendAnswer(request, response, this.#edge.answer(refusal, requestId), this.#edge.clock);
      this.#edge.audit.refused(audited, refusal, claim, () => arrival.attempt(answer));
    };
    try {
      const verified = checkMessage(request) ?? (await this.#verify(head, arrival, onClaim));
      if ('reason' in verified) {
        await this.#edge.refusalPace.turn();
        refuse(verified);
        return;
      }
      const { accepted } = verified;
      // The upstream sees nothing that the log does not have.
      await new Promise<void>((resolve) => this.#edge.audit.accepted(audited, accepted, resolve));
      const forwarded = await this.#forward(head, verified, arrival, scheme);
      if (typeof forwarded === 'object') refuse(forwarded);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) response.destroy();
      else refuse(refusal);
    }
  }

  #verify(head: RequestHead, arrival: Arrival, onClaim: (claim: Claim) => void): Promise<Verified | Refusal> {
    return isPostForm(head, this.#edge.policy)
      ? this.#postForms.verify(head, arrival, onClaim)
      : this.#verifyRequest(head, arrival, onClaim);
  }

  /** Throws what the body is refused for. */
  async #verifyRequest(
    head: RequestHead,
    { request, response, requestId }: Arrival,
    onClaim: (claim: Claim) => void,
  ): Promise<Verified | Refusal> {
    const examined = examineRequest(head, this.#edge.policy, this.#edge.clock.now());
    if (examined.verdict === 'refused') return examined;
    onClaim(examined);
    const lost = checkConnectionOptions(request, examined);
    if (lost) return lost;
    const { accessKeyId, scope, algorithm, sessionToken } = examined;
    const finding = await this.#edge.keys.find(accessKeyId, scope, algorithm, sessionToken, requestId);
    if (!finding.found) return { reason: finding.reason };
    const { limits } = this.#rules;
    const begin = (): void => sayContinue(request, response);
    const payload = {
      framing: framingOf(request),
      parts: (largest: number) => incomingPayload(request, { ...limits, largest }, this.#edge.clock, begin),
      objection: finding.objection,
    };
    const verified = await verifyPayload(ofSession(examined, finding.session), finding.key, payload, this.#rules);
    if ('reason' in verified) return verified;
    // A body may take its time: what was revoked while it came is not accepted any more.
    const reason = finding.objection();
    if (reason === undefined) return verified;
    await verified.dispose();
    return { reason };
  }

  async #forward(head: RequestHead, verified: Verified, arrival: Arrival, scheme: Scheme): Promise<Forwarded> {
    const { request, response, requestId } = arrival;
    const clientGone = new AbortController();
    const onClose = (): void => clientGone.abort();
    response.once('close', onClose);
    if (request.socket.destroyed) onClose();
    try {
      const rawHeaders = verified.isUnframed ? unframedHeaders(head.rawHeaders) : head.rawHeaders;
      const { method, target } = head;
      const { signedHeaders } = verified.accepted;
      const sending = { origin: this.#upstream.origin, method, signedHeaders, status: () => response.statusCode };
      return await tracedSending(this.#edge.traces, sending, (traceHeaders) => {
        const headers = upstreamHeaders(rawHeaders, {
          identity: identityHeaders(verified.accepted, verified.payloadSha256, requestId),
          way: { clientAddress: request.socket.remoteAddress ?? 'unknown', scheme, host: request.headers.host ?? '' },
          forwardAuthorization: this.#rules.forwardAuthorization,
          contentLength: verified.contentLength,
          traceHeaders,
        });
        const upstreamRequest = { method, target, headers, body: verified.body, signal: clientGone.signal };
        return this.#upstream.forward(upstreamRequest, response, requestId);
      });
    } finally {
      response.off('close', onClose);
      await verified.dispose();
    }
  }
}
