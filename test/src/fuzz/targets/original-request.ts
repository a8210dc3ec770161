import { isIdentityHeader, originalRequest, ORIGINS, type Origin } from '@sigv4-keyd/edge-verifier';
import { hold, type Target } from '../engine/target.js';
import { linesAsHeaders } from './request-parts.js';

const REASONS = ['reserved-header', 'ambiguous-original-request', 'missing-original-request'];
/** Through which a front speaks; none of them may reach what verifies. */
const TELLING: Readonly<Record<Origin, RegExp>> = {
  'x-original': /^x-original-(?:method|uri|content-length|transfer-encoding)$/i,
  'x-forwarded': /^x-forwarded-(?:method|uri|host)$/i,
  'request-line': /^(?!)/,
};

/** What a front tells of a request: `NAME:VALUE`, a header a line, in a question of its own. */
export const ORIGINAL_REQUESTS: readonly Target[] = ORIGINS.map((origin) => ({
  name: `original-request-${origin}`,
  covers: ['services/edge-verifier/dist/forward-auth/original-request'],
  seeds: [
    'x-original-method:PUT\nx-original-uri:/a?b\nhost:a.example\nx-original-content-length:5\ncontent-length:0',
    'X-Forwarded-Method:GET\nX-Forwarded-Uri:/a%2Fb\nX-Forwarded-Host:a.example\nHost:edge\naccept:*/*',
    'x-original-method:GET\nx-original-uri:/\nx-original-uri:/b\nx_keyd_region:a\ntransfer-encoding:chunked',
    'host:a.example\nX-Keyd-Region:us-east-1',
  ],
  words: [
    '\n',
    'x-original-',
    'X-Forwarded-',
    'method:',
    'uri:',
    'host:',
    'content-length:',
    'x-keyd-',
    'x_',
    '0',
    '1e1',
  ],
  run(input) {
    const rawHeaders = linesAsHeaders(input.toString('latin1'));
    const question = { method: 'GET', target: '/asked', rawHeaders };
    const told = originalRequest(question, origin);
    if ('reason' in told) {
      hold(REASONS.includes(told.reason), 'one of its reasons');
      return false;
    }
    const { method, target, rawHeaders: headers } = told.head;
    const pairs = pairsOf(headers);
    hold(
      !pairs.some(([name]) => isIdentityHeader(name) || TELLING[origin].test(name)),
      'the client spoke, not the front',
    );
    if (origin === 'request-line') {
      hold(told.head === question, 'the question itself');
      return true;
    }
    hold(rawHeaders.includes(method) && rawHeaders.includes(target), 'nothing was made up');
    const kept = (all: readonly (readonly [string, string])[]): string =>
      JSON.stringify(all.filter(([name]) => !TELLING[origin].test(name) && !/^(?:host|content-length)$/i.test(name)));
    hold(kept(pairs) === kept(pairsOf(rawHeaders)), 'every other header is there, in its order');
    const framing = pairs.find(([name, value]) => /^transfer-encoding$/i.test(name) || isLength(name, value));
    hold(framing === undefined || told.hasBody, 'a body that is told of is seen');
    return true;
  },
}));

function isLength(name: string, value: string): boolean {
  return /^content-length$/i.test(name) && Number(value) !== 0;
}

function pairsOf(headers: readonly string[]): readonly (readonly [name: string, value: string])[] {
  return headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? ''] as const] : []));
}
