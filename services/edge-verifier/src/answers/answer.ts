import { jsonBody } from './json.js';
import { ERROR_CODES } from './error-codes.js';
import { sentenceOf, type Refusal } from './refusal.js';
import { s3Body } from './s3-xml.js';

export type AnswerShape = 's3' | 'json';

/** A refusal as AWS clients read it; headers as name, value, name, value. */
export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  /** What helps clients to mend themselves: the region to sign for, the time here. */
  readonly hints: Readonly<Record<string, string>>;
}

export interface AnswerContext {
  readonly shape: AnswerShape;
  readonly region: string;
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly clockSkewSeconds: number;
}

/** The answer to a refused request. */
export function answerTo({ reason, detail }: Refusal, context: AnswerContext): Answer {
  const [status, s3Code, jsonType] = ERROR_CODES[reason];
  const message = detail === undefined ? sentenceOf(reason) : `${sentenceOf(reason)} (${detail})`;
  const facts = { message, requestId: context.requestId, hints: hintsFor(s3Code, context) };
  const isS3 = context.shape === 's3';
  const body = isS3 ? s3Body({ code: s3Code, ...facts }) : jsonBody({ code: jsonType, ...facts });
  return {
    status,
    headers: [
      'x-amz-request-id',
      context.requestId,
      'x-keyd-reason',
      reason,
      'cache-control',
      'no-store',
      'content-type',
      isS3 ? 'application/xml' : 'application/json',
      ...(isS3 ? bucketRegion(s3Code, context) : ['x-amzn-errortype', jsonType]),
    ],
    body: Buffer.from(body, 'utf8'),
  };
}

/** The region once more, for answers to HEAD, which have no body to name it. */
function bucketRegion(code: string, { region }: AnswerContext): readonly string[] {
  return code === 'AuthorizationHeaderMalformed' ? ['x-amz-bucket-region', region] : [];
}

function hintsFor(code: string, { region, now, clockSkewSeconds }: AnswerContext): Readonly<Record<string, string>> {
  switch (code) {
    // SDKs sign again for the region, or with the time, that they are told.
    case 'AuthorizationHeaderMalformed':
      return { Region: region };
    case 'RequestTimeTooSkewed':
      return {
        ServerTime: new Date(now).toISOString(),
        MaxAllowedSkewMilliseconds: String(clockSkewSeconds * 1000),
      };
    default:
      return {};
  }
}
