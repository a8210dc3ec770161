import { EXIT_CODES } from '@sigv4-keyd/keydctl';
import { hold, type Bound, type Target } from '../engine/target.js';
import { keydctl } from '../../keydctl/keydctl-under-test.js';
import { rawRequest, rightParts, SECRET, type Sent } from '../../keydctl/mistaken-signer.js';
import { parsed } from './day-streams.js';

const COVERS = ['packages/keydctl/dist/explain/'];
const SENT: Sent = {
  method: 'PUT',
  target: '/bucket/a%20b?a=x%20y&list=',
  headers: [['host', 's3.example.com']],
  body: 'body\n',
};
const RIGHT = rawRequest(SENT, rightParts(SENT));
const WRONG = rawRequest(SENT, { ...rightParts(SENT), uri: '/other' });
const CURL = [
  ...['* Connected', ...RIGHT.split('\r\n').map((line) => `> ${line}`), '> ', '< HTTP/1.1 403 Forbidden'],
  ...['< date: Sun, 22 Nov 2026 10:00:00 GMT', '< x-keyd-reason: signature-mismatch', '< '],
].join('\n');
const HAR = JSON.stringify({
  log: {
    entries: [
      {
        startedDateTime: '2026-11-22T10:00:00Z',
        request: {
          ...{ method: 'PUT', url: 'https://s3.example.com/bucket/a?X-Amz-Signature=a', bodySize: 0 },
          headers: [{ name: ':authority', value: 's3.example.com' }],
        },
        response: { status: 403, headers: [{ name: 'date', value: 'Sun, 22 Nov 2026 10:00:00 GMT' }] },
      },
    ],
  },
});
const WORDS = [
  ...['> ', '< ', '\r\n', '\r\n\r\n', 'authorization: ', 'x-amz-date: ', 'Signature=', 'HTTP/1.1', 'content-length: '],
  ...[
    'X-Amz-Credential=',
    'X-Amz-Signature=',
    '%2F',
    '"headers":[',
    '"url":"',
    'transfer-encoding: chunked',
    '{"log":',
  ],
];

/** A recording in any form, by somebody who does not give the secret. */
const recording: Target = {
  name: 'explain',
  covers: COVERS,
  seeds: [RIGHT, CURL, HAR, WRONG],
  words: WORDS,
  mostBytes: 2048,
  run: (input) => isExplained(input, {}),
};

/** The same with the secret: the known mistakes are tried. */
const mistakes: Target = {
  name: 'explain-mistakes',
  covers: COVERS,
  seeds: [RIGHT, WRONG, CURL],
  words: WORDS,
  mostBytes: 1024,
  isSlow: true,
  work: { atLeast: 5_000_000, perByte: 20_000 } satisfies Bound,
  run: (input) => isExplained(input, { AWS_SECRET_ACCESS_KEY: SECRET }),
};

export const EXPLAIN: readonly Target[] = [recording, mistakes];

async function isExplained(input: Buffer, env: Readonly<Record<string, string>>): Promise<boolean> {
  const { code, out, err } = await keydctl(['explain', '-', '--json'], { input, env, now: 0 });
  const document = parsed(out);
  hold(typeof document === 'object' && document !== null, 'one JSON document on the output');
  hold(!`${out}${err}`.includes(SECRET), 'the secret is never shown');
  if (code === EXIT_CODES.ok[0]) return 'verdict' in document;
  hold(code === EXIT_CODES.failed[0] && 'error' in document, 'else it fails');
  const { code: reason } = document.error as { readonly code: string };
  hold(reason === 'unreadable-capture', `with the reason that it has, not ${reason}: ${err}`);
  return false;
}
