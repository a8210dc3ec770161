import type { ErrorFacts } from './answer.js';
import { elements, XML_DECLARATION } from './xml-text.js';

/** An error document of the query protocol, and of the XML services that are not S3. */
export function queryBody({ status, code, message, requestId, hints }: ErrorFacts): string {
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const error = elements({ Type: type, Code: code, Message: message, ...hints });
  return `${XML_DECLARATION}<ErrorResponse><Error>${error}</Error>${elements({ RequestId: requestId })}</ErrorResponse>`;
}
