import { execFile, execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import aws4 from 'aws4';
import { presignRequest } from '@sigv4-keyd/sigv4-core';
import t from 'tap';
import { keydctl, keydctlJson } from './keydctl-under-test.js';
import {
  ACCESS_KEY_ID,
  AMZ_DATE,
  rawRequest,
  rightParts,
  SECRET,
  sha256,
  type Parts,
  type Sent,
} from './mistaken-signer.js';

const ENV = { AWS_SECRET_ACCESS_KEY: SECRET };
const EMPTY = sha256('');
const SENT: Sent = {
  method: 'PUT',
  target: '/bucket/a%20b//c%2Fd?a=x%20y&b=1%2B1&list=',
  headers: [
    ['host', 's3.example.com:9000'],
    ['content-type', 'text/plain'],
    ['x-amz-meta-colours', 'Red Blue,Green'],
  ],
  body: 'line one\nline two\n',
};

interface Explained {
  readonly verdict: string;
  readonly mistakes: readonly { readonly id: string; readonly what: string; readonly next: string }[];
  readonly findings: readonly { readonly id: string; readonly what: string; readonly next: string }[];
}

async function explained(
  recording: string,
  args: readonly string[] = [],
  env: Record<string, string> = ENV,
): Promise<Explained> {
  return (await keydctlJson(['explain', '-', ...args], { input: recording, env })) as unknown as Explained;
}

type Change = (parts: Parts) => Partial<Parts>;

function header(name: string, change: (value: string) => string | undefined): Change {
  return ({ headers }) => ({
    headers: headers.flatMap(([one, value]) => {
      const changed = one === name ? change(value) : value;
      return changed === undefined ? [] : [[one, changed] as const];
    }),
  });
}

const MISTAKES: Readonly<Record<string, Change>> = {
  'payload-empty': () => ({ payload: EMPTY }),
  'payload-unsigned': () => ({ payload: 'UNSIGNED-PAYLOAD' }),
  'body-newline-added': () => ({ payload: sha256(SENT.body.trimEnd()) }),
  'body-line-ends': () => ({ payload: sha256(SENT.body.replaceAll('\n', '\r\n')) }),
  'host-port': header('host', () => 's3.example.com'),
  'header-changed': header('content-type', (type) => `${type}; charset=utf-8`),
  'header-joined': header('x-amz-meta-colours', (value) => value.replace(',', ', ')),
  'header-lower-case': header('x-amz-meta-colours', (value) => value.toLowerCase()),
  'path-encoded-twice': ({ uri }) => ({ uri: uri.replaceAll('%', '%25') }),
  'path-decoded': ({ uri }) => ({ uri: decodeURIComponent(uri) }),
  'path-normalised': ({ uri }) => ({ uri: uri.replace('//', '/') }),
  'path-lower-case-hex': ({ uri }) => ({ uri: uri.replace('%2F', '%2f') }),
  'path-prefix-added': ({ uri }) => ({ uri: uri.replace('/bucket', '') }),
  'query-plus': ({ query }) => ({ query: query.replace('%20', '+') }),
  'query-encoded-twice': ({ query }) => ({ query: query.replaceAll('%', '%25') }),
  'query-decoded': ({ query }) => ({ query: decodeURIComponent(query) }),
  'query-no-equals': ({ query }) => ({ query: query.replace(/=$/, '') }),
  'query-left-out': () => ({ query: '' }),
  'query-parameter-added': ({ query }) => ({ query: query.replace('&b=1%2B1', '') }),
  'secret-newline': ({ key }) => ({ key: { ...key, secret: `${SECRET}\n` } }),
  'secret-encoded': ({ key }) => ({ key: { ...key, secret: SECRET.replaceAll(/[/+=]/g, encodeURIComponent) } }),
  'secret-empty': ({ key }) => ({ key: { ...key, secret: '' } }),
  'key-of-another-day': ({ key }) => ({ key: { ...key, date: '20261121' } }),
  'key-of-another-region': ({ key }) => ({ key: { ...key, region: 'us-east-1' } }),
  'key-of-another-service': ({ key }) => ({ key: { ...key, service: 'execute-api' } }),
  'date-differs': () => ({ amzDate: '20261122T095959Z' }),
  'method-changed': () => ({ method: 'POST' }),
};

t.test('the right signature, ours and that of another signer', async (t) => {
  t.match(await explained(rawRequest(SENT, rightParts(SENT))), { verdict: 'right', mistakes: [], findings: [] });
  const { headers, path } = aws4.sign(
    {
      host: 'h',
      path: '/a b?z=1&a=2',
      method: 'POST',
      service: 'execute-api',
      region: 'r-1',
      body: 'x=y',
      headers: { 'X-Amz-Date': AMZ_DATE },
    },
    { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
  );
  const lines = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
  t.match(await explained([`POST ${path ?? ''} HTTP/1.1`, ...lines, '', 'x=y'].join('\n')), {
    verdict: 'right',
    findings: [],
  });
});

t.test('each mistake is named', async (t) => {
  for (const [id, change] of Object.entries(MISTAKES)) {
    const right = rightParts(SENT);
    const { verdict, mistakes } = await explained(rawRequest(SENT, { ...right, ...change(right) }));
    t.equal(verdict, 'explained', id);
    t.strictSame(
      mistakes.map((mistake) => mistake.id),
      [id],
    );
    t.ok((mistakes[0]?.what ?? '').length > 10 && (mistakes[0]?.next ?? '').length > 10, 'in words');
  }
});

t.test('two mistakes at once', async (t) => {
  const pairs = [
    ['payload-empty', 'host-port'],
    ['path-encoded-twice', 'secret-newline'],
    ['query-plus', 'key-of-another-region'],
    ['header-changed', 'header-lower-case'],
    ['method-changed', 'date-differs'],
  ] as const;
  for (const [first, second] of pairs) {
    const right = rightParts(SENT);
    const one = { ...right, ...MISTAKES[first]?.(right) };
    const { verdict, mistakes } = await explained(rawRequest(SENT, { ...one, ...MISTAKES[second]?.(one) }));
    t.equal(verdict, 'explained', `${first} and ${second}`);
    t.strictSame(mistakes.map(({ id }) => id).sort(), [first, second].sort());
  }
});

t.test('a header that a proxy took away, changed or rewrote', async (t) => {
  const sent: Sent = {
    ...SENT,
    headers: [
      ['host', 's3.example.com'],
      ['accept-encoding', 'gzip'],
    ],
  };
  const raw = rawRequest(sent, rightParts(sent));
  const dropped = await explained(raw.replace('accept-encoding: gzip\r\n', ''));
  t.match(dropped, { verdict: 'explained', mistakes: [{ id: 'header-dropped', what: /accept-encoding.*gzip/ }] });
  t.match(dropped.findings, [{ id: 'signed-header-absent' }]);
  const behind = raw.replace('host: s3.example.com', 'host: 10.0.0.7:9000\r\nx-forwarded-host: s3.example.com');
  t.match(await explained(behind), {
    mistakes: [{ id: 'host-rewritten', what: /s3\.example\.com.*10\.0\.0\.7:9000/ }],
  });
  t.match(await explained(raw.replace('line two', 'line 2')), {
    verdict: 'right',
    findings: [{ id: 'payload-hash-mismatch' }],
  });
});

t.test('services other than S3 encode the path twice and normalise it', async (t) => {
  const sent: Sent = { method: 'GET', target: '/a%20b', headers: [['host', 'h']], body: '' };
  const once = rightParts(sent, 'execute-api');
  t.match(await explained(rawRequest(sent, once)), { mistakes: [{ id: 'path-encoded-once' }] });
  t.match(await explained(rawRequest(sent, { ...once, uri: '/a%2520b' })), { verdict: 'right' });
  const dots = { ...sent, target: '/a/../b' };
  t.match(await explained(rawRequest(dots, rightParts(dots, 'execute-api'))), { verdict: 'explained' });
});

t.test('without the secret: the structure, the clock, the scope', async (t) => {
  const right = rightParts(SENT);
  const raw = rawRequest(SENT, right);
  const found = async (recording: string, args: readonly string[] = []): Promise<readonly string[]> => {
    const { verdict, findings } = await explained(recording, args, {});
    t.equal(verdict, 'not-tried');
    return findings.map(({ id }) => id);
  };
  t.strictSame(await found(raw), []);
  t.strictSame(await found(raw, ['--at', '2026-11-22T10:20:00Z']), ['clock-behind']);
  t.strictSame(await found(raw, ['--at', '2026-11-22T08:00:00Z']), ['clock-ahead']);
  t.strictSame(await found(raw, ['--region', 'us-east-1', '--service', 'sts']), ['wrong-region', 'wrong-service']);
  t.strictSame(await found(raw.replace('/20261122/', '/20261121/')), ['scope-date-mismatch']);
  t.strictSame(
    await found(raw.replace(/Signature=\w+/, (hex) => hex.toUpperCase().replace('SIGNATURE', 'Signature'))),
    ['malformed-signature'],
  );
  t.strictSame(await found(raw.replace(ACCESS_KEY_ID, 'ASIATEMPORARY')), ['session-token-missing']);
  const token = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;
  const sent = (accessKeyId: string, claims: object): string =>
    raw.replace(ACCESS_KEY_ID, accessKeyId).replace('host:', `x-amz-security-token: ${token(claims)}\r\nhost:`);
  const good = { accessKeyId: 'ASIATEMPORARY', expires: '2026-11-22T11:00:00.000Z' };
  t.strictSame(await found(sent('ASIATEMPORARY', good)), ['header-not-signed'], 'nothing against the token');
  t.strictSame(await found(sent('ASIATEMPORARY', good), ['--at', '2026-11-22T11:00:00Z']), [
    'header-not-signed',
    'session-token-expired',
    'clock-behind',
  ]);
  t.strictSame(await found(sent('ASIAANOTHER', good)), ['header-not-signed', 'session-token-mismatch']);
  t.strictSame(await found(sent(ACCESS_KEY_ID, good)), ['header-not-signed', 'session-token-mismatch']);
  t.strictSame(await found(sent('ASIATEMPORARY', ['of another make'])), ['header-not-signed']);
  t.strictSame(await found(raw.replace('host:', 'x-amz-acl: private\r\nhost:')), ['header-not-signed']);
  t.strictSame(await found(raw.replace('HTTP/1.1\r\nhost', 'HTTP/1.1\r\nHost: other\r\nhost')), ['duplicate-header']);
  const upper = await explained(
    raw.replace(/Signature=\w+/, (hex) => hex.toUpperCase().replace('SIGNATURE', 'Signature')),
  );
  t.match(upper, { verdict: 'right', findings: [{ id: 'malformed-signature', next: /lower-case/ }] });
});

t.test('presigned URLs', async (t) => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  const signing = { now, region: 'eu-west-1', service: 's3', expiresSeconds: 60 };
  const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET };
  const { target } = presignRequest(
    { method: 'GET', target: '/k?a=b', headers: [['host', 'h:9000']] },
    credentials,
    signing,
  );
  const raw = (url: string, host = 'h:9000', method = 'GET'): string => `${method} ${url} HTTP/1.1\nhost: ${host}\n\n`;
  t.match(await explained(raw(target)), { verdict: 'right', findings: [] });
  t.match(await explained(raw(target), ['--at', '2026-11-22T10:01:01Z']), { findings: [{ id: 'presigned-expired' }] });
  t.match(await explained(raw(`${target}&utm_source=mail`)), {
    mistakes: [{ id: 'query-parameter-added', what: /utm_source/ }],
  });
  t.match(await explained(raw(target, 'h')), { mistakes: [{ id: 'host-port' }] });
  t.match(await explained(raw(target, undefined, 'HEAD')), {
    mistakes: [{ id: 'method-changed', what: /"GET".*"HEAD"/ }],
  });
});

t.test('a HAR file: the request that was refused', async (t) => {
  const right = rightParts(SENT);
  const entry = (raw: string, status: number): object => {
    const [head = '', body = ''] = raw.split('\r\n\r\n');
    const [line = '', ...lines] = head.split('\r\n');
    const headers = lines.map((text) => ({ name: text.split(': ')[0], value: text.slice(text.indexOf(': ') + 2) }));
    return {
      startedDateTime: '2026-11-22T10:00:01.000Z',
      request: {
        method: line.split(' ')[0],
        url: `https://s3.example.com:9000${line.split(' ')[1] ?? ''}`,
        headers,
        postData: { text: body },
      },
      response: { status, headers: [{ name: 'X-Keyd-Reason', value: 'signature-mismatch' }] },
    };
  };
  const wrong = rawRequest(SENT, { ...right, payload: EMPTY });
  const har = (...entries: object[]): string => `\ufeff${JSON.stringify({ log: { entries } })}`;
  const both = har(entry(wrong, 403), entry(rawRequest(SENT, right), 200));
  t.match(await explained(both), {
    mistakes: [{ id: 'payload-empty' }],
    findings: [{ id: 'server-reason', what: /signature-mismatch/ }],
  });
  t.match(await explained(har(entry(rawRequest(SENT, right), 200))), { verdict: 'right' });
});

const curl = (() => {
  try {
    return /curl (\S+)/.exec(execFileSync('curl', ['--version']).toString())?.[1];
  } catch {
    return undefined;
  }
})();
t.test('curl -v', { skip: curl === undefined ? 'curl is not installed on this machine' : false }, async (t) => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(403, { 'x-keyd-reason': 'signature-mismatch' }).end('<Error/>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const file = join(t.testdir(), 'upload');
  writeFileSync(file, 'what is uploaded');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/key`;
  const run = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    promisify(execFile)('curl', [
      '-sv',
      '--aws-sigv4',
      'aws:amz:eu-west-1:s3',
      '--user',
      `${ACCESS_KEY_ID}:${SECRET}`,
      ...args,
      url,
    ]);
  const get = await run();
  const said = await explained(get.stderr + get.stdout);
  t.match(
    said,
    { verdict: 'right', findings: [{ id: 'server-reason' }] },
    'and its clock is right, by the Date of the answer',
  );
  const put = await run('-T', file);
  const upload = await explained(put.stderr, ['--body', file]);
  // curl 7.88 hashes nothing with -T; later ones state UNSIGNED-PAYLOAD.
  t.ok(upload.verdict === 'right' || upload.mistakes[0]?.id === 'payload-empty', JSON.stringify(upload));
});

t.test('the secret: from a file, from the environment of this access key alone, never shown', async (t) => {
  const right = rightParts(SENT);
  const raw = rawRequest(SENT, { ...right, key: { ...right.key, secret: `${SECRET}\n` } });
  const rightSignature = /Signature=(\w+)/.exec(rawRequest(SENT, right))?.[1] ?? 'none';
  const file = join(t.testdir(), 'secret');
  writeFileSync(file, `${SECRET}\n`);
  const { code, out, err } = await keydctl(['explain', '-', '--secret-file', file], { input: raw });
  t.equal(code, 0);
  t.match(out, 'line feed at its end');
  t.match(await keydctl(['explain', '-'], { input: raw, env: { ...ENV, AWS_ACCESS_KEY_ID: 'AKIAOTHER' } }), {
    out: /not tried/,
  });
  const wrong = await keydctl(['explain', '-'], { input: raw, env: { AWS_SECRET_ACCESS_KEY: 'another' } });
  t.match(wrong.out, /not explained/);
  for (const text of [out, err, wrong.out, JSON.stringify(await explained(raw))]) {
    t.notOk(text.includes(SECRET) || text.includes(rightSignature) || text.includes('another\n'));
  }
  t.match(await keydctl(['explain', '-', '--secret-file', '-'], { input: raw }), { code: 2 });
  t.match(await keydctl(['explain', '-', '--ask-secret'], { input: raw }), { code: 2 });
});

t.test('what is no signed request is told as such', async (t) => {
  const wrong: Readonly<Record<string, RegExp>> = {
    '': /nothing in it/,
    '\u0000\u0001\u0002': /no request line/,
    '{': /not/,
    '{"log":{}}': /no HAR file/,
    '{"log":{"entries":[]}}': /no request .* is signed/,
    'GET / HTTP/1.1\n\n': /not signed/,
    'GET / HTTP/1.1\nno colon\n\n': /no header/,
    'GET / HTTP/1.1\nAuthorization: Basic x\n\n': /not of AWS4-HMAC-SHA256/,
    'GET / HTTP/1.1\nAuthorization: AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=0\n\n': /five parts/,
    'GET / HTTP/1.1\nAuthorization: AWS4-HMAC-SHA256 Signature=0\n\n': /no credential/,
    '> GET / HTTP/1.1\n> \n': /not signed/,
  };
  for (const [recording, message] of Object.entries(wrong)) {
    const { code, err } = await keydctl(['explain', '-'], { input: recording });
    t.equal(code, 1, recording);
    t.match(err, message);
    t.notMatch(err, 'defect of keydctl');
  }
  t.match(await keydctl(['explain', '/no/such/file']), { code: 1, err: /ENOENT/ });
  const hostile = rawRequest(SENT, rightParts(SENT)).replace('text/plain', 'text/\u001b[31mplain');
  t.notMatch((await keydctl(['explain', '-'], { input: hostile, env: ENV })).out, '\u001b');
});

t.test('any file may be given as a recording: what is tried of it has an end', async (t) => {
  const manyHeaders = (count: number): Sent => ({
    ...SENT,
    headers: [...SENT.headers, ...Array.from({ length: count }, (_none, at) => [`x-amz-meta-${at}`, 'A, b'] as const)],
  });
  const recorded = (sent: Sent): string => rawRequest(sent, { ...rightParts(sent), payload: 'f'.repeat(64) });
  // Without a limit it would take many minutes: millions of pairs of mistakes, each hashed over twenty kilobytes.
  t.equal((await explained(recorded(manyHeaders(400)))).verdict, 'unexplained');
  const { code, err } = await keydctl(['explain', '-'], { input: recorded(manyHeaders(5_000)), env: ENV });
  t.equal(code, 1);
  t.match(err, /more than 64 KiB/);
});
