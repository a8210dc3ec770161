import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/protocol-http';
import { SignatureV4 } from '@smithy/signature-v4';
import aws4Library from 'aws4';
import type { ArbitraryRequest, OracleLimits } from './arbitrary-request.js';
import { strictlyEncoded } from './arbitrary-request.js';
import { ACCESS_KEY_ID } from './policy.js';

/** A signed request as it would be sent; strings are text. */
export interface OracleSigned {
  readonly target: string;
  /** Repeated headers are repeated. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Signing {
  readonly mechanism: 'header' | 'presigned';
  readonly service: string;
  readonly region: string;
  readonly expiresSeconds: number;
}

/** Another implementation of the specification. */
export interface Oracle {
  readonly name: string;
  readonly limits: (service: string) => OracleLimits;
  readonly sign: (request: ArbitraryRequest, signing: Signing) => Promise<OracleSigned>;
}

export const smithy: Oracle = {
  name: '@smithy/signature-v4',
  limits: () => ({ slashInSegments: true, repeatedParameters: true, emptyParameterNames: true }),
  sign: async (request, { mechanism, service, region, expiresSeconds }) => {
    const s3 = service === 's3';
    const signer = new SignatureV4({
      credentials: credentialsOf(request),
      region,
      service,
      sha256: Sha256,
      uriEscapePath: !s3,
      applyChecksum: s3,
    });
    // The S3 presigner of the SDK states the mode so; without it smithy would sign the body's hash and say nothing.
    const stated = s3 && mechanism === 'presigned' ? { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' } : {};
    const unsigned = smithyRequest(request, stated);
    const signingDate = new Date(request.now);
    const signed =
      mechanism === 'header'
        ? await signer.sign(unsigned, { signingDate })
        : await signer.presign(unsigned, { signingDate, expiresIn: expiresSeconds, unhoistableHeaders: METADATA });
    return smithySigned(request, signed);
  },
};

export const aws4: Oracle = {
  name: 'aws4',
  limits: (service) => ({
    slashInSegments: service !== 's3',
    repeatedParameters: service !== 's3',
    emptyParameterNames: false,
  }),
  sign: (request, { mechanism, service, region, expiresSeconds }) => {
    const amzDate = new Date(request.now).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const presigned = mechanism === 'presigned';
    const query: Record<string, readonly string[]> = Object.fromEntries(request.query);
    const signed = aws4Library.sign(
      {
        service,
        region,
        method: request.method,
        path: targetOf(
          request.path,
          presigned ? { ...query, 'X-Amz-Date': [amzDate], 'X-Amz-Expires': [String(expiresSeconds)] } : query,
        ),
        headers: {
          Host: request.host,
          ...joinedHeaders(request),
          ...(presigned ? {} : { 'X-Amz-Date': amzDate }),
        },
        body: request.body,
        signQuery: presigned,
      },
      credentialsOf(request),
    );
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(signed.headers ?? {})) headers[name] = String(value);
    return Promise.resolve({ target: signed.path ?? '', headers: repeated(request, headers) });
  },
};

/** A request as smithy's signers take it. */
export function smithyRequest(request: ArbitraryRequest, added: Readonly<Record<string, string>> = {}): HttpRequest {
  return new HttpRequest({
    method: request.method,
    hostname: request.host,
    path: request.path,
    query: Object.fromEntries([...request.query].map(([name, values]) => [name, [...values]])),
    headers: { host: request.host, ...joinedHeaders(request), ...added },
    body: request.body,
  });
}

/** What a smithy signer made of a request, as it would be sent. */
export function smithySigned(
  request: ArbitraryRequest,
  { path, query, headers }: Partial<Pick<HttpRequest, 'query'>> & Pick<HttpRequest, 'path' | 'headers'>,
): OracleSigned {
  return { target: targetOf(path, query ?? {}), headers: repeated(request, headers) };
}

/** Kept as headers when presigning, where smithy would move them to the query. */
const METADATA = new Set<string>(['x-amz-meta-a', 'x-amz-meta-b']);

export function credentialsOf({ secretAccessKey, sessionToken }: ArbitraryRequest): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
} {
  return { accessKeyId: ACCESS_KEY_ID, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

/** No oracle takes a header twice: they are given the values as HTTP joins them, each trimmed. */
function joinedHeaders(request: ArbitraryRequest): Record<string, string> {
  return Object.fromEntries(
    [...request.headers].map(([name, values]) => [
      name,
      values.map((value) => value.replace(/^[ \t]+|[ \t]+$/g, '')).join(','),
    ]),
  );
}

/** Sends each of the values as a header of its own again, with the blanks that it had. */
function repeated(request: ArbitraryRequest, headers: Record<string, string>): OracleSigned['headers'] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (request.headers.get(name) ?? [value]).map((one) => [name, one] as const),
  );
}

function targetOf(path: string, query: Readonly<Record<string, string | readonly string[] | null>>): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values ?? ''].flat().map((value) => `${strictlyEncoded(name)}=${strictlyEncoded(value)}`),
  );
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}
