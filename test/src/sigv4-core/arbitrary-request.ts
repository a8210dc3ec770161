import fc from 'fast-check';

/** A request before signing. Names and values are text; the path is encoded as it will be sent. */
export interface ArbitraryRequest {
  readonly method: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** Header values by name; several values are several headers. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly host: string;
  readonly body: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  readonly now: number;
}

/** What an oracle cannot sign as others do. */
export interface OracleLimits {
  /** aws4 signs %2F in S3 paths as a slash. */
  readonly slashInSegments: boolean;
  /** aws4 signs only the first of several S3 parameters of one name. */
  readonly repeatedParameters: boolean;
  /** aws4 drops parameters without a name. */
  readonly emptyParameterNames: boolean;
}

/** RFC 3986: all but the unreserved is encoded, which encodeURIComponent leaves out for five characters. */
export function strictlyEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });

/**
 * Blanks inside and around, tabs, quotes, unicode; no control characters, which no header can carry. Nor the blanks
 * beyond ASCII: aws4 collapses them, although they are no blanks of HTTP.
 */
const headerValue = fc
  .array(fc.oneof(text, fc.constantFrom(' ', '  ', '\t', '"a   b"', ',', ';', '=')), { maxLength: 5 })
  .map((parts) => parts.join('').replace(/[^\S \t]|(?!\t)\p{Cc}/gu, ''));

const segment = fc.oneof(
  text,
  fc.constantFrom('a b', 'a+b', 'ü', '日本', '%', '%41', 'a:b@c', "!$&'()*+,;=", '~', 'x%2Fy', '..a', '...'),
);

export function arbitraryRequest(limits: OracleLimits): fc.Arbitrary<ArbitraryRequest> {
  const segments = fc.array(
    segment
      .map((value) => (limits.slashInSegments ? value : value.replaceAll('/', '')))
      .filter((value) => value !== '' && value !== '.' && value !== '..'),
    { maxLength: 5 },
  );
  const name = fc
    .oneof(text, fc.constantFrom('a', 'A', 'a-b', 'a0', 'a=', 'prefix', 'list-type', '+', ' ', 'ü'))
    // Objects hold the oracles' queries; and names of this project's own concern are tested one by one elsewhere.
    .filter((value) => value !== '__proto__' && !value.toLowerCase().startsWith('x-amz-'))
    .filter((value) => limits.emptyParameterNames || value !== '');
  const value = fc.oneof(text, fc.constantFrom('', '+', ' ', '%', '/', 'b=c', '&', '~'));
  const values = fc.array(value, { minLength: 1, maxLength: limits.repeatedParameters ? 3 : 1 });
  return fc.record({
    method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'),
    path: fc
      .tuple(segments, fc.boolean())
      .map(([parts, slash]) => `/${parts.map(strictlyEncoded).join('/')}${slash && parts.length > 0 ? '/' : ''}`),
    query: fc.array(fc.tuple(name, values), { maxLength: 5 }).map((pairs) => new Map(pairs)),
    headers: fc
      .array(
        fc.tuple(
          fc.constantFrom('My-Header1', 'my-header2', 'MY-HEADER', 'x-amz-meta-a', 'X-Amz-Meta-B', 'accept', 'z_~1'),
          fc.array(headerValue, { minLength: 1, maxLength: 3 }),
        ),
        { maxLength: 4 },
      )
      .map((pairs) => new Map(pairs)),
    host: fc.constantFrom('example.amazonaws.com', 'storage.example:8443', '127.0.0.1:9000'),
    body: text,
    secretAccessKey: fc.oneof(
      fc.string({ minLength: 1, maxLength: 40 }),
      text.filter((value) => value !== ''),
    ),
    sessionToken: fc.option(fc.base64String({ minLength: 4, maxLength: 40 }), { nil: undefined }),
    now: fc.integer({ min: Date.UTC(2000, 0, 1) / 1000, max: Date.UTC(2099, 11, 31) / 1000 }).map((s) => s * 1000),
  });
}
