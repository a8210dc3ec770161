import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import {
  concludePostForm,
  examinePostForm,
  examinePostFormHead,
  isRefused,
  ofSession,
  type Accepted,
  type FileLength,
  type PostForm,
  type RequestHead,
} from '@sigv4-keyd/sigv4-core';
import type { Claim } from '../../audit.js';
import type { Arrival } from '../../front-server.js';
import type { Edge } from '../../edge.js';
import { UNSIGNED_PAYLOAD } from '../../identity-headers.js';
import { holdPayload } from '../held-payload.js';
import { incomingPayload, sayContinue } from '../incoming-payload.js';
import { checkConnectionOptions } from '../message-checks.js';
import type { PayloadRules, Verified } from '../verified-payload.js';
import { ArrivingForm } from './arriving-form.js';
import { boundaryOf } from './boundary.js';

/** A form whose fields and signature are right; its file is to come. */
interface Proven {
  readonly accepted: Accepted;
  readonly fileLength: FileLength;
  /** Why the key may not be used any more. */
  readonly objection: () => Refusal['reason'] | undefined;
}

/** No header of a form is signed; without these it would be another request. */
const NEEDED_HEADERS = { signedHeaders: ['content-type', 'host'] };

/** Verifies forms that browsers upload with. The upstream sees one when it has come whole. */
export class PostForms {
  readonly #edge: Edge;
  readonly #rules: Pick<PayloadRules, 'holding' | 'limits'>;

  constructor(edge: Edge, rules: Pick<PayloadRules, 'holding' | 'limits'>) {
    this.#edge = edge;
    this.#rules = rules;
  }

  /** Throws what the body is refused for. */
  async verify(
    head: RequestHead,
    { request, response, requestId }: Arrival,
    onClaim: (claim: Claim) => void,
  ): Promise<Verified | Refusal> {
    const { policy, clock } = this.#edge;
    const opened = checkConnectionOptions(request, NEEDED_HEADERS) ?? examinePostFormHead(head, policy);
    if ('reason' in opened) return opened;
    const boundary = boundaryOf(opened.contentType);
    if (typeof boundary === 'object') return boundary;
    const { limits, holding } = this.#rules;
    const parts = incomingPayload(request, limits, clock, () => sayContinue(request, response));
    const form = new ArrivingForm(parts, boundary);
    try {
      const proven = await this.#prove(await form.fields(), opened.bucket, { requestId, onClaim });
      if ('reason' in proven) return proven;
      const held = await holdPayload(form.bytes(proven.fileLength), holding);
      const reason = proven.objection();
      if (reason !== undefined) {
        await held.dispose();
        return { reason };
      }
      return {
        accepted: proven.accepted,
        payloadSha256: UNSIGNED_PAYLOAD,
        body: held.read(),
        contentLength: held.length,
        isUnframed: false,
        dispose: held.dispose,
      };
    } finally {
      await form.close();
    }
  }

  async #prove(
    form: PostForm,
    bucket: string,
    { requestId, onClaim }: { readonly requestId: string; readonly onClaim: (claim: Claim) => void },
  ): Promise<Proven | Refusal> {
    const { policy, clock, keys } = this.#edge;
    const examined = examinePostForm(form, bucket, policy, clock.now());
    if (isRefused(examined)) return examined;
    onClaim(examined);
    const { accessKeyId, scope, algorithm, sessionToken, fileLength } = examined;
    const finding = await keys.find(accessKeyId, scope, algorithm, sessionToken, requestId);
    if (!finding.found) return { reason: finding.reason };
    const accepted = concludePostForm(ofSession(examined, finding.session), finding.key);
    return isRefused(accepted) ? accepted : { accepted, fileLength, objection: finding.objection };
  }
}
