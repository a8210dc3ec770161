import t from 'tap';
import { HOST, signed, wireOf, type Draft } from '../edge-verifier/client.js';
import { checkAftermath, each, runAttacks, type Attack } from './attacks.js';
import { startFronts, type Front } from './fronts.js';
import type { Output } from './output.js';
import { RawClient } from './raw-client.js';
import { isInHeader } from './vehicle.js';

/** Writes a signed request as it arrives at a front: with lines behind its headers, and a body. */
type Write = (extra?: readonly string[], body?: string, draft?: Draft) => string;

type Case = readonly [name: string, wire: (write: Write) => string, at?: (front: Front) => boolean];

const PUT = { method: 'PUT', body: 'abc' } as const;
const CHUNKED_ABC = '3\r\nabc\r\n0\r\n\r\n';
const CHUNKED = 'transfer-encoding: chunked';

/** Where the first line of what arrives is the client's own. */
const hasFirstLine = ({ name }: Front): boolean =>
  name !== 'forward auth, x-original' && name !== 'forward auth, x-forwarded';

/** In process, what a method or an upgrade does is the application's own. */
const isEdge = ({ kind }: Front): boolean => kind !== 'in-process';

const LENGTHS: readonly Case[] = [
  ['content-length and transfer-encoding', (write) => write(['content-length: 3', CHUNKED], CHUNKED_ABC, PUT)],
  ['transfer-encoding and content-length', (write) => write([CHUNKED, 'content-length: 3'], CHUNKED_ABC, PUT)],
  ['a length of none, and chunks', (write) => write(['content-length: 0', CHUNKED], CHUNKED_ABC, PUT)],
  ['two content-lengths', (write) => write(['content-length: 3', 'content-length: 4'], 'abcd', PUT)],
  ['two equal content-lengths', (write) => write(['content-length: 3', 'content-length: 3'], 'abc', PUT)],
  ['a list of lengths', (write) => write(['content-length: 3, 3'], 'abc', PUT)],
  ['a length with a sign', (write) => write(['content-length: +3'], 'abc', PUT)],
  ['a length in hexadecimal', (write) => write(['content-length: 0x3'], 'abc', PUT)],
  ['a negative length', (write) => write(['content-length: -1'], 'abc', PUT)],
  ['a length beyond 64 bits', (write) => write(['content-length: 18446744073709551619'], 'abc', PUT)],
  ['a length with a tab inside', (write) => write(['content-length: 1\t2'], 'abc', PUT)],
  ['an empty length', (write) => write(['content-length:'], 'abc', PUT)],
  ['a coding that is not chunked', (write) => write(['transfer-encoding: gzip'], CHUNKED_ABC, PUT)],
  ['a coding before chunked', (write) => write(['transfer-encoding: gzip, chunked'], CHUNKED_ABC, PUT)],
  ['a coding after chunked', (write) => write(['transfer-encoding: chunked, identity'], CHUNKED_ABC, PUT)],
  ['identity', (write) => write(['transfer-encoding: identity', 'content-length: 3'], 'abc', PUT)],
  ['chunked twice', (write) => write([CHUNKED, CHUNKED], CHUNKED_ABC, PUT)],
  ['chunked misspelt', (write) => write(['transfer-encoding: xchunked'], CHUNKED_ABC, PUT)],
  ['chunked in quotes', (write) => write(['transfer-encoding: "chunked"'], CHUNKED_ABC, PUT)],
  ['chunked behind a vertical tab', (write) => write(['transfer-encoding: \u000bchunked'], CHUNKED_ABC, PUT)],
  ['a space before the colon', (write) => write(['transfer-encoding : chunked'], CHUNKED_ABC, PUT)],
  ['a bad chunk size', (write) => write([CHUNKED], 'zz\r\nabc\r\n0\r\n\r\n', PUT)],
  ['a chunk size with 0x', (write) => write([CHUNKED], '0x3\r\nabc\r\n0\r\n\r\n', PUT)],
  ['a chunk size beyond 64 bits', (write) => write([CHUNKED], '10000000000000003\r\nabc\r\n0\r\n\r\n', PUT)],
  ['a chunk longer than it says', (write) => write([CHUNKED], '2\r\nabc\r\n0\r\n\r\n', PUT)],
  ['chunks ended by bare line feeds', (write) => write([CHUNKED], '3\nabc\n0\n\n', PUT)],
  ['a line feed in a chunk extension', (write) => write([CHUNKED], '3;a\nb\r\nabc\r\n0\r\n\r\n', PUT)],
  ['chunked in HTTP/1.0', (write) => write([CHUNKED], CHUNKED_ABC, PUT).replace('HTTP/1.1', 'HTTP/1.0')],
];

const HEADERS: readonly Case[] = [
  ['two hosts', (write) => write([`host: ${HOST}`])],
  ['another second host', (write) => write(['host: evil.example'])],
  ['no host', (write) => write().replace(/host: .*\r\n/gi, '')],
  ['a folded header', (write) => write(['x-folded: one\r\n two'])],
  ['a folded first header', (write) => write().replace('\r\n', '\r\n folded: x\r\n')],
  ['a NUL in a header', (write) => write(['x-nul: a\u0000b'])],
  ['a bare CR in a header', (write) => write(['x-cr: a\rb'])],
  ['a bare LF in a header', (write) => write(['x-lf: a\nevil: b'])],
  ['headers ended by bare line feeds', (write) => write().replaceAll('\r\n', '\n')],
  ['headers ended by bare carriage returns', (write) => `${write().replaceAll('\r\n', '\r')}\r\n\r\n`],
  ['a header without a name', (write) => write([': x'])],
  ['a header without a colon', (write) => write(['x-amz-acl'])],
  ['a header name with a space', (write) => write(['x y: z'])],
  ['a space before the colon of x-amz-acl', (write) => write(['x-amz-acl : public-read'])],
  ['a tab before the name of x-amz-acl', (write) => write(['\tx-amz-acl: public-read'])],
  ['headers that are too large', (write) => write([`x-large: ${'x'.repeat(65 * 1024)}`])],
  [
    'an upgrade',
    (write) => write(['upgrade: websocket']).replace('connection: close', 'connection: upgrade, close'),
    isEdge,
  ],
  [
    'an upgrade to HTTP/2',
    (write) => write(['upgrade: h2c']).replace('connection: close', 'connection: upgrade, close'),
    isEdge,
  ],
  ['another expectation', (write) => write(['expect: 200-maybe'])],
];

const FIRST_LINES: readonly Case[] = (
  [
    ['a NUL in the target', 'GET /\u0000'],
    ['a space in the target', 'GET /a b'],
    ['a tab in the target', 'GET /\ta'],
    ['a fragment', 'GET /#a'],
    ['bytes above ASCII in the target', 'GET /\u00c3\u00a9'],
    ['half a percent encoding', 'GET /%4'],
    ['an absolute target', `GET http://${HOST}/`],
    ['an absolute target of another host', 'GET http://evil.example/'],
    ['an authority as target', `GET ${HOST}:80`],
    ['an asterisk as target', 'OPTIONS *'],
    ['no slash', 'GET bucket'],
    ['CONNECT', `CONNECT ${HOST}:443`],
    ['an unknown method', 'FROB /'],
    ['a method in lower case', 'get /'],
    ['a line before the first', '\r\n\r\nX: y\r\nGET /'],
  ] as const
).map(([name, line]): Case => [name, (write) => write().replace('GET /', line), hasFirstLine]);

const MESSAGES: readonly Case[] = [
  ['TRACE', (write) => write([], '', { method: 'TRACE' }), isEdge],
  ['HTTP/2 in the open', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/0.9', () => 'GET /\r\n\r\n'],
  ['HTTP/3.0', (write) => write().replace('HTTP/1.1', 'HTTP/3.0')],
  ['no HTTP', () => 'what is this\r\n\r\n'],
  ['a greeting of TLS', () => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'.padEnd(64, 'x')],
];

function writer(front: Front, output: Output): Write {
  return (extra = [], body = '', draft = {}) => {
    const message = signed(draft);
    output.expectSignaturesOf(message);
    return wireOf(front.carry(message), ['connection: close', ...extra], body);
  };
}

async function exchange(front: Front, wire: string): Promise<string> {
  const client = new RawClient(front);
  await client.write(wire);
  return client.closed();
}

t.test('messages that two servers could read in two ways, or that are no plain request', async (t) => {
  const fronts = await startFronts(t);
  for (const front of fronts.all) {
    await t.test(front.name, async (t) => {
      const write = writer(front, fronts.output);
      const controls = [
        write(),
        write(['content-length: 3'], 'abc', PUT),
        write([CHUNKED], CHUNKED_ABC, PUT),
        write([CHUNKED], '3;extension=of-http\r\nabc\r\n0\r\n\r\n', PUT),
      ];
      for (const wire of controls)
        t.match(await exchange(front, wire), /^HTTP\/1.1 20[04] /, 'the honest twin is served');
      const before = front.behind();
      for (const [name, wire, at = () => true] of [...LENGTHS, ...HEADERS, ...FIRST_LINES, ...MESSAGES]) {
        if (!at(front)) continue;
        const answer = await exchange(front, wire(write));
        fronts.output.answeredRaw(answer);
        // Where a request is under way already, the connection ends without a word that could be taken for its answer.
        t.match(answer, /^(?:HTTP\/1.[01] [45]\d\d |$)/, name);
        t.notMatch(answer, /HTTP\/1.[01] [123]\d\d /, `${name}: nothing else either`);
      }
      t.equal(front.behind(), before, 'nothing got behind the front');
    });
  }
  await checkAftermath(t, fronts);
});

/** What a front that does not look closely might tell of a request. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  'malformed-target': ['http://evil.example/', '*', 'bucket', '', '/#a', '/a b', '/%4', '/a?b#c', '\\'],
  'signature-mismatch': [`//${HOST}`, '/\\..', '/caf\u00e9', '/./', '//'],
};

t.test('targets that a front tells of', async (t) => {
  const fronts = await startFronts(t);
  const telling = ({ kind, name }: Front): boolean => kind === 'forward-auth' && name !== 'forward auth, request-line';
  const attacks = (['malformed-target', 'signature-mismatch'] as const).flatMap((reason) =>
    each(TOLD[reason] ?? [], (target): Attack => ({
      name: `the target ${JSON.stringify(target)}`,
      honest: { method: 'GET', target: '/', body: '' },
      signed: isInHeader,
      at: telling,
      reasons: [reason],
      make: (honest) => ({ ...honest, target }),
    })),
  );
  await runAttacks(t, fronts, attacks);
});

t.test('requests behind another on one connection', async (t) => {
  const fronts = await startFronts(t);
  const unsigned = `GET /unsigned HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`;
  for (const front of fronts.all.filter(({ kind }) => kind !== 'forward-auth')) {
    const good = wireOf(signed());
    const put = wireOf(signed(PUT), ['content-length: 3'], 'abc');
    const bad = wireOf(signed({ secret: 'wrong' }));
    const last = wireOf(signed(), ['connection: close']);
    const rows: readonly (readonly [name: string, wire: string, statuses: readonly number[]])[] = [
      ['an unsigned one behind a good one', good + unsigned + last, [200, 403, 200]],
      ['an unsigned one behind a body', put + unsigned + last, [200, 403, 200]],
      ['a wrong one behind a good one', good + bad + last, [200, 403, 200]],
      ['a good one behind a wrong one', bad + last, [403, 200]],
      ['one behind the end of chunks', wireOf(signed(PUT), [CHUNKED], CHUNKED_ABC + unsigned) + last, [200, 403, 200]],
      [
        'one behind a body that is shorter than was signed',
        wireOf(signed(PUT), ['content-length: 2'], 'ab') + last,
        [400, 200],
      ],
      [
        'the rest of a body that is longer than its length',
        wireOf(signed(PUT), ['content-length: 3'], `abc${unsigned}`) + last,
        [200, 403, 200],
      ],
      [
        'one inside of a body',
        wireOf(signed({ method: 'PUT', body: unsigned }), [`content-length: ${unsigned.length}`], unsigned) + last,
        [200, 200],
      ],
    ];
    for (const [name, wire, statuses] of rows) {
      const served = statuses.filter((status) => status === 200).length;
      const { requests } = fronts.edge.upstream;
      const [reached, seen] = [requests.length, front.behind()];
      const answers = await exchange(front, wire);
      fronts.output.answeredRaw(answers);
      const got = [...answers.matchAll(/HTTP\/1.1 (\d\d\d) /g)].map(([, status]) => Number(status));
      t.strictSame(got, statuses, `${front.name}: ${name}`);
      if (front.kind === 'proxy') t.equal(requests.length - reached, served, 'the upstream heard of the good ones');
      else t.equal(front.behind() - seen, served, 'the application heard of the good ones');
    }
    t.notOk(fronts.edge.upstream.requests.some(({ target }) => target === '/unsigned'));
    t.notOk(fronts.sites.some(({ seen }) => seen.some(({ target }) => target === '/unsigned')));
  }
});

t.test('trailers of HTTP do not become headers', async (t) => {
  const fronts = await startFronts(t);
  for (const front of fronts.all) {
    const trailing = '3\r\nabc\r\n0\r\nx-keyd-access-key-id: AKIASPOOFED\r\nx-amz-acl: public-read\r\nhost: x\r\n\r\n';
    const answer = await exchange(front, writer(front, fronts.output)([CHUNKED], trailing, PUT));
    t.match(answer, /^HTTP\/1.1 20[04] /, front.name);
    t.notMatch(answer, 'SPOOFED');
    t.notMatch(fronts.edge.upstream.wire, /SPOOFED|public-read/);
  }
});
