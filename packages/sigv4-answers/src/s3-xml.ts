import type { ErrorFacts } from './answer.js';
import { elements, XML_DECLARATION } from './xml-text.js';

/** An error document as S3 writes it. */
export function s3Body({ code, message, requestId, hints }: ErrorFacts): string {
  const inner = elements({ Code: code, Message: message, ...hints, RequestId: requestId });
  return `${XML_DECLARATION}<Error>${inner}</Error>`;
}
