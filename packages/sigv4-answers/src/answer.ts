import type { AnswerShape } from './answer-shape.js';
import { ERROR_CODES } from './error-codes.js';
import { jsonBody } from './json.js';
import { queryBody } from './query-xml.js';
import { sentenceOf, type Refusal } from './refusal.js';
import { s3Body } from './s3-xml.js';
import { shownDescription } from './shown-description.js';

/** A refusal as AWS clients read it; headers as name, value, name, value. */
export interface Answer {
  readonly status: number;
  /** As it stands in the body. */
  readonly code: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What an error document says. */
export interface ErrorFacts {
  readonly status: number;
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

interface Writing {
  readonly contentType: string;
  readonly write: (facts: ErrorFacts) => string;
}

const WRITINGS: Readonly<Record<AnswerShape, Writing>> = {
  s3: { contentType: 'application/xml', write: s3Body },
  json: { contentType: 'application/json', write: jsonBody },
  query: { contentType: 'text/xml', write: queryBody },
};

/** The answer to a refused request. */
export function answerTo({ reason, detail, description }: Refusal, context: AnswerContext): Answer {
  const [status, s3, json, query] = ERROR_CODES[reason];
  const code = { s3, json, query }[context.shape];
  const message = detail === undefined ? sentenceOf(reason) : `${sentenceOf(reason)} (${detail})`;
  const { contentType, write } = WRITINGS[context.shape];
  const hints = { ...hintsFor(s3, context), ...(description && shownDescription(description)) };
  return {
    status,
    code,
    headers: [
      'x-amz-request-id',
      context.requestId,
      'x-keyd-reason',
      reason,
      // SDKs set their clock by it; where a server writes none by itself, theirs would stay wrong.
      'date',
      new Date(context.now).toUTCString(),
      'cache-control',
      'no-store',
      'content-type',
      contentType,
      ...(context.shape === 'json' ? ['x-amzn-errortype', json] : []),
      ...(context.shape === 's3' ? bucketRegion(s3, context) : []),
    ],
    body: Buffer.from(write({ status, code, message, requestId: context.requestId, hints }), 'utf8'),
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
