import { refuse, type Refused } from '@sigv4-keyd/sigv4-core';

// What clients make their boundaries of. RFC 2046 allows more, which parsers quote, trim and cut in ways of their own.
const CONTENT_TYPE =
  /^multipart\/form-data[\t ]*;[\t ]*boundary=(?:"([0-9A-Za-z+._-]{1,70})"|([0-9A-Za-z+._-]{1,70}))$/i;

/** The boundary that a Content-Type names: its one parameter. */
export function boundaryOf(contentType: string): string | Refused {
  const [, quoted, plain] = CONTENT_TYPE.exec(contentType) ?? [];
  return quoted ?? plain ?? refuse('malformed-form', 'content-type: a plain boundary and nothing else');
}
