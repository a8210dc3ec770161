import type { ErrorFacts } from './answer.js';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
// XML 1.0, 2.2: most control characters cannot be written in XML at all, not even escaped.
// Built from a text, since a pattern must not hold control characters.
const NOT_XML = new RegExp('[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd]', 'g');

/** An error document as S3 writes it. */
export function s3Body({ code, message, requestId, hints }: ErrorFacts): string {
  const elements = Object.entries({ Code: code, Message: message, ...hints, RequestId: requestId });
  const inner = elements.map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${inner}</Error>`;
}

/** Text for the content of an element or attribute. */
export function escapeXml(text: string): string {
  return text.replace(NOT_XML, '\ufffd').replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
