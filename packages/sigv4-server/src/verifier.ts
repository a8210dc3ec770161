import type { IncomingMessage } from 'node:http';
import { answerTo, type Answer, type Refusal } from '@sigv4-keyd/sigv4-answers';
import { isFramedInOneWay } from '@sigv4-keyd/payload-streams';
import {
  examineRequest,
  isRefused,
  ofSession,
  type Accepted,
  type Examined,
  type KeyFinding,
} from '@sigv4-keyd/sigv4-core';
import { hasBody } from './held-body.js';
import { settingsFrom, type Settings, type Sigv4Options } from './options.js';
import { verifyBody } from './verified-body.js';

export type Outcome = Accepted | Refusal | 'client-gone';

/** Verifies the requests of a server, whatever framework it runs in. */
export class Verifier {
  readonly #settings: Settings;

  constructor(options: Sigv4Options) {
    this.#settings = settingsFrom(options);
  }

  /**
   * Verifies a request whose body nobody has begun to read; `target` is the wire's own. When it is accepted, the body
   * can be read as if it had just arrived. Never rejects.
   */
  async verify(request: IncomingMessage, target: string, requestId: string): Promise<Outcome> {
    const outcome = await this.#verify(request, target, requestId).catch((cause: unknown): Refusal => ({
      reason: 'internal-error',
      cause,
    }));
    if (outcome !== 'client-gone' && 'reason' in outcome) this.#settings.onRefused(outcome, requestId);
    return outcome;
  }

  /** The answer to a refused request. */
  answer(refusal: Refusal, requestId: string): Answer {
    const { answerShape: shape, policy, now } = this.#settings;
    const { region, clockSkewSeconds } = policy;
    return answerTo(refusal, { shape, region, clockSkewSeconds, requestId, now: now() });
  }

  async #verify(request: IncomingMessage, target: string, requestId: string): Promise<Outcome> {
    const { keys, policy, payloads, longestBody, now } = this.#settings;
    if (!isFramedInOneWay(request)) return { reason: 'ambiguous-length' };
    const head = { method: request.method ?? '', target, rawHeaders: request.rawHeaders };
    const examined = examineRequest(head, policy, now());
    if (isRefused(examined)) return examined;
    if (examined.payload.kind === 'unsigned' && !payloads.includes('unsigned') && hasBody(request)) {
      return { reason: 'payload-mode-refused', detail: 'unsigned' };
    }
    const finding = await this.#find(examined, requestId);
    if (!finding.found) return { reason: finding.reason };
    const outcome = await verifyBody({
      request,
      examined: ofSession(examined, finding.session),
      key: finding.key,
      longestBody,
    });
    if (outcome === 'client-gone' || 'reason' in outcome) return outcome;
    // A body may take its time: what was revoked while it came is not accepted any more.
    const reason = finding.objection?.();
    if (reason !== undefined) return { reason };
    keys.recordAccepted?.(outcome, { head, requestId });
    return outcome;
  }

  async #find({ accessKeyId, scope, algorithm, sessionToken }: Examined, requestId: string): Promise<KeyFinding> {
    try {
      return await this.#settings.keys.find(accessKeyId, scope, algorithm, sessionToken, requestId);
    } catch {
      return { found: false, reason: 'keys-unavailable' };
    }
  }
}
