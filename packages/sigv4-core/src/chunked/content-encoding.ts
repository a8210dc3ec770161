import { trimBlanks } from '../trim-blanks.js';

/** The content coding that names the framing. It says how the body travels, and is not part of what is stored. */
const AWS_CHUNKED = 'aws-chunked';

/** How often a Content-Encoding names aws-chunked. */
export function timesAwsChunked(contentEncoding: string): number {
  return codings(contentEncoding).filter(isAwsChunked).length;
}

/** The Content-Encoding of the decoded body; undefined when nothing is left of it. */
export function withoutAwsChunked(contentEncoding: string): string | undefined {
  const left = codings(contentEncoding).filter((coding) => !isAwsChunked(coding));
  return left.length === 0 ? undefined : left.join(',');
}

/** The Content-Encoding of the framed body; `contentEncoding` is that of the decoded one. */
export function withAwsChunked(contentEncoding?: string): string {
  return contentEncoding === undefined ? AWS_CHUNKED : `${AWS_CHUNKED},${contentEncoding}`;
}

function codings(contentEncoding: string): readonly string[] {
  return contentEncoding
    .split(',')
    .map(trimBlanks)
    .filter((coding) => coding !== '');
}

function isAwsChunked(coding: string): boolean {
  return coding.toLowerCase() === AWS_CHUNKED;
}
