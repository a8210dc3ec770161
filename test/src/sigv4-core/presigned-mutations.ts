import { addHeader, body, both, lastByteChanged, later, policy, query, target } from './signed-requests.js';
import type { Row } from './signed-requests.js';

/** Changes of a presigned request. */
export const PRESIGNED_MUTATIONS: readonly Row[] = [
  ['Authorization added', addHeader('authorization', 'AWS4-HMAC-SHA256 x'), 'both-mechanisms'],
  ['presigned URLs refused', policy({ presigned: 'refused' }), 'presigned-refused'],
  [
    'presigned URLs refused before anything of them is read',
    both(policy({ presigned: 'refused' }), query('AWS4-HMAC-SHA256', 'AWS4')),
    'presigned-refused',
  ],
  ...['Algorithm', 'Credential', 'Date', 'SignedHeaders', 'Expires', 'Signature'].flatMap((name): Row[] => [
    [`${name} doubled`, query(new RegExp(`(&X-Amz-${name}=[^&]*)`), '$1$1'), 'duplicate-parameter'],
    [`${name} doubled in lower case`, target((v) => `${v}&x-amz-${name.toLowerCase()}=0`), 'duplicate-parameter'],
  ]),
  ['all X-Amz-* parameters dropped', query(/&X-Amz-.*/, ''), 'missing-authentication'],
  ['Algorithm dropped', query(/&X-Amz-Algorithm=[^&]*/, ''), 'unsupported-algorithm'],
  ['Algorithm changed', query('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'), 'unsupported-algorithm'],
  ['Credential dropped', query(/&X-Amz-Credential=[^&]*/, ''), 'malformed-authorization'],
  ['access key id changed', query('AKIDEXAMPLE', 'AKIDEXAMPLF'), 'access-key-unknown'],
  ['scope of the day before', query('%2F20261122%2F', '%2F20261121%2F'), 'scope-date-mismatch'],
  ['scope and date of the day before', query(/20261122/g, '20261121'), 'presigned-expired'],
  ['scope of another region', query('us-east-1', 'us-east-2'), 'wrong-region'],
  ['scope of another service', query('%2Fservice%2F', '%2Fs3%2F'), 'wrong-service'],
  ['another terminator', query('aws4_request', 'aws4'), 'wrong-terminator'],
  [
    'Credential with raw slashes',
    query(/X-Amz-Credential=[^&]*/, 'X-Amz-Credential=AKIDEXAMPLE/20261122/us-east-1/service/aws4_request'),
    'accepted',
  ],
  ['Date dropped', query(/&X-Amz-Date=[^&]*/, ''), 'missing-date'],
  [
    'Date dropped, header instead',
    both(query(/&X-Amz-Date=[^&]*/, ''), addHeader('x-amz-date', '20261122T120000Z')),
    'header-parameter-conflict',
  ],
  ['Date contradicted by a header', addHeader('x-amz-date', '20261122T120001Z'), 'header-parameter-conflict'],
  ['Date repeated by an unsigned header', addHeader('x-amz-date', '20261122T120000Z'), 'header-not-signed'],
  ['Date malformed', query('T120000Z', 'T120060Z'), 'malformed-date'],
  ['Date a second later', query('T120000Z', 'T120001Z'), 'signature-mismatch'],
  ['SignedHeaders dropped', query(/&X-Amz-SignedHeaders=[^&]*/, ''), 'malformed-authorization'],
  ['SignedHeaders without host', query('=host%3B', '='), 'host-not-signed'],
  ['SignedHeaders without an x-amz-* header', query('%3Bx-amz-meta-a', ''), 'header-not-signed'],
  ['SignedHeaders without another header', query('%3Bmy-header', ''), 'signature-mismatch'],
  ['SignedHeaders unsorted', query('host%3Bmy-header', 'my-header%3Bhost'), 'malformed-signed-headers'],
  ['Signature dropped', query(/&X-Amz-Signature=.*/, ''), 'malformed-authorization'],
  ['Signature changed', target(lastByteChanged), 'signature-mismatch'],
  ['Signature too short', query(/.$/, ''), 'malformed-signature'],
  ['Expires dropped', query(/&X-Amz-Expires=[^&]*/, ''), 'malformed-expires'],
  ['Expires raised', query('Expires=3600', 'Expires=3601'), 'signature-mismatch'],
  ...(
    [
      ['', 'malformed-expires'],
      ['0', 'malformed-expires'],
      ['-1', 'malformed-expires'],
      ['%2B5', 'malformed-expires'],
      ['+5', 'malformed-expires'],
      ['NaN', 'malformed-expires'],
      ['Infinity', 'malformed-expires'],
      ['1e3', 'malformed-expires'],
      ['0x10', 'malformed-expires'],
      ['3600.0', 'malformed-expires'],
      ['03600', 'malformed-expires'],
      ['3600%20', 'malformed-expires'],
      ['3600%0A', 'malformed-expires'],
      ['%D9%A3', 'malformed-expires'],
      ['604800', 'signature-mismatch'],
      ['604801', 'expires-too-long'],
      ['9007199254740993', 'expires-too-long'],
      ['9'.repeat(400), 'expires-too-long'],
    ] as const
  ).map(([value, reason]): Row => {
    const name = `Expires of ${value.slice(0, 20) || 'nothing'}`;
    return [name, query('Expires=3600', `Expires=${value}`), reason];
  }),
  ['longer than the policy', policy({ presigned: { longestSeconds: 3599 } }), 'expires-too-long'],
  ['as long as the policy', policy({ presigned: { longestSeconds: 3600 } }), 'accepted'],
  ['longest life of the policy broken', policy({ presigned: { longestSeconds: Number.NaN } }), 'expires-too-long'],
  [
    'a policy beyond seven days',
    both(policy({ presigned: { longestSeconds: 1e9 } }), query('Expires=3600', 'Expires=604801')),
    'expires-too-long',
  ],
  ['just before it expires', later(3_599_999), 'accepted'],
  ['as it expires', later(3_600_000), 'presigned-expired'],
  ['signed as far ahead as clocks may be off', later(-900_000), 'accepted'],
  ['signed further ahead', later(-900_001), 'presigned-not-yet-valid'],
  ['clock of the verifier broken', later(Number.NaN), 'presigned-not-yet-valid'],
  ['payload hash in an unsigned header', addHeader('x-amz-content-sha256', 'UNSIGNED-PAYLOAD'), 'header-not-signed'],
  [
    'payload hash added to the query',
    target((v) => `${v}&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD`),
    'signature-mismatch',
  ],
  [
    'payload hash of header and query differ',
    both(
      addHeader('x-amz-content-sha256', 'UNSIGNED-PAYLOAD'),
      target((v) => `${v}&X-Amz-Content-Sha256=x`),
    ),
    'header-parameter-conflict',
  ],
  ['payload hash malformed', target((v) => `${v}&X-Amz-Content-Sha256=x`), 'malformed-payload-hash'],
  [
    'signed chunks',
    target((v) => `${v}&X-Amz-Content-Sha256=STREAMING-AWS4-HMAC-SHA256-PAYLOAD`),
    'payload-mode-refused',
  ],
  ['body changed', body('the bodx'), 'signature-mismatch'],
  ['session token added', target((v) => `${v}&X-Amz-Security-Token=t`), 'signature-mismatch'],
  [
    'session token refused',
    both(
      policy({ sessionTokens: 'refused' }),
      target((v) => `${v}&X-Amz-Security-Token=t`),
    ),
    'session-token-refused',
  ],
  [
    'session tokens of header and query differ',
    both(
      addHeader('x-amz-security-token', 'u'),
      target((v) => `${v}&X-Amz-Security-Token=t`),
    ),
    'header-parameter-conflict',
  ],
];
