import {
  canonicalRequest,
  formatAmzDate,
  formatCredentialScope,
  isRefused,
  parseQueryParameters,
  readHeaders,
  signatureOf,
  stringToSign,
} from '@sigv4-keyd/sigv4-core';
import type { CredentialScope, Mechanism, RequestHead } from '@sigv4-keyd/sigv4-core';
import { ACCESS_KEY_ID, signingKey } from './policy.js';
import { BODY_SHA256, NOW } from './signed-requests.js';

const HOST = ['host', 'storage.example'] as const;

export function headOf(request: {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
}): RequestHead {
  return { method: request.method, target: request.target, rawHeaders: request.headers.flat() };
}

/** Signs with the key of any scope, step by step, as a signer would that does not keep to the rule of the date. */
export function signedForScope(mechanism: Mechanism, scope: CredentialScope, mode: string | undefined): RequestHead {
  const amzDate = formatAmzDate(NOW);
  const credential = `${ACCESS_KEY_ID}/${formatCredentialScope(scope)}`;
  const header = mechanism === 'header';
  const stated = mode === undefined ? [] : [['x-amz-content-sha256', mode] as const];
  const headers = [HOST, ...(header ? [...stated, ['x-amz-date', amzDate] as const] : [])];
  const signedHeaders = headers.map(([name]) => name);
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', encodeURIComponent(credential)],
    ['X-Amz-Date', amzDate],
    ['X-Amz-Expires', '60'],
    ['X-Amz-SignedHeaders', signedHeaders.join('%3B')],
    ...stated,
  ];
  const target = header ? '/b/a' : `/b/a?${query.map((pair) => pair.join('=')).join('&')}`;
  const table = readHeaders(headers.flat());
  const parameters = parseQueryParameters(target.slice('/b/a?'.length));
  if (isRefused(table) || isRefused(parameters)) throw new Error('refused');
  const canonical = canonicalRequest(
    {
      method: 'PUT',
      path: '/b/a',
      pathRule: 's3',
      parameters: parameters.all,
      mechanism,
      headers: table,
      signedHeaders,
    },
    mode ?? (header ? BODY_SHA256 : 'UNSIGNED-PAYLOAD'),
  );
  const terms = { algorithm: 'AWS4-HMAC-SHA256', amzDate, scope: formatCredentialScope(scope) } as const;
  const signature = signatureOf(signingKey(scope), stringToSign(terms, canonical));
  if (!header) return headOf({ method: 'PUT', target: `${target}&X-Amz-Signature=${signature}`, headers });
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${credential}, ` + `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return headOf({ method: 'PUT', target, headers: [...headers, ['authorization', authorization]] });
}
