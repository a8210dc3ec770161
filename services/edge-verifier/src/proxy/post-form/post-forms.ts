import type { Refusal } from '@sigv4-keyd/sigv4-answers';
import { PayloadRefused } from '@sigv4-keyd/payload-streams';
import {
  checkFileLength,
  concludePostForm,
  examinePostForm,
  examinePostFormHead,
  isRefused,
  ofSession,
  type Accepted,
  type ExaminedPostForm,
  type PostForm,
  type Refused,
  type RequestHead,
} from '@sigv4-keyd/sigv4-core';
import type { Claim } from '../../audit.js';
import type { Arrival } from '../../catch-all-app.js';
import type { Edge } from '../../edge.js';
import { UNSIGNED_PAYLOAD } from '../../identity-headers.js';
import { holdPayload } from '../held-payload.js';
import { incomingPayload, sayContinue } from '../incoming-payload.js';
import { checkConnectionOptions } from '../message-checks.js';
import { PayloadError } from '../payload-error.js';
import type { PayloadRules, Verified } from '../verified-payload.js';
import { boundaryOf } from './boundary.js';
import { FormReader } from './form-reader.js';

interface Proven {
  readonly examined: ExaminedPostForm;
  readonly accepted: Accepted;
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
    { request, response }: Arrival,
    onClaim: (claim: Claim) => void,
  ): Promise<Verified | Refusal> {
    const { policy, clock } = this.#edge;
    const opened = checkConnectionOptions(request, NEEDED_HEADERS) ?? examinePostFormHead(head, policy);
    if ('reason' in opened) return opened;
    const boundary = boundaryOf(opened.contentType);
    if (typeof boundary === 'object') return boundary;
    const { limits, holding } = this.#rules;
    const parts = incomingPayload(request, limits, clock, () => sayContinue(request, response));
    let proven: Proven | undefined;
    const prove = async (form: PostForm): Promise<Proven> => {
      proven = await this.#prove(form, opened.bucket, onClaim);
      return proven;
    };
    const held = await holdPayload(provenParts(parts, new FormReader(boundary), prove), holding);
    const reason = proven?.objection();
    if (proven === undefined || reason !== undefined) {
      await held.dispose();
      return { reason: reason ?? 'malformed-form' };
    }
    return {
      accepted: proven.accepted,
      payloadSha256: UNSIGNED_PAYLOAD,
      body: held.read(),
      contentLength: held.length,
      isUnframed: false,
      dispose: held.dispose,
    };
  }

  async #prove(form: PostForm, bucket: string, onClaim: (claim: Claim) => void): Promise<Proven> {
    const { policy, clock, keys } = this.#edge;
    const examined = accepted(examinePostForm(form, bucket, policy, clock.now()));
    onClaim(examined);
    const { accessKeyId, scope, algorithm, sessionToken } = examined;
    const finding = await keys.find(accessKeyId, scope, algorithm, sessionToken);
    if (!finding.found) throw new PayloadError(finding.reason);
    const ofIts = ofSession(examined, finding.session);
    return { examined, accepted: accepted(concludePostForm(ofIts, finding.key)), objection: finding.objection };
  }
}

/** The parts of a form as they came. None goes on before the fields were proven, once they are there. */
async function* provenParts(
  parts: AsyncIterable<Buffer>,
  reader: FormReader,
  prove: (form: PostForm) => Promise<Proven>,
): AsyncGenerator<Buffer, void, undefined> {
  let proven: Proven | undefined;
  for await (const part of parts) {
    throwIf(reader.push(part));
    if (reader.form) proven ??= await prove(reader.form);
    if (proven) throwIf(checkFileLength(reader.fileLength, proven.examined.fileLength, { isWhole: false }));
    yield part;
  }
  throwIf(reader.end());
  if (proven) throwIf(checkFileLength(reader.fileLength, proven.examined.fileLength, { isWhole: true }));
}

function accepted<Outcome extends object>(outcome: Outcome | Refused): Outcome {
  if (isRefused(outcome)) throw new PayloadRefused(outcome);
  return outcome;
}

function throwIf(refused: Refused | undefined): void {
  if (refused) throw new PayloadRefused(refused);
}
