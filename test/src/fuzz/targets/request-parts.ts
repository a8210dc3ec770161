import { createHash } from 'node:crypto';
import {
  canonicalQuery,
  canonicalUri,
  CHECKSUM_BYTES,
  coversRegion,
  examineRequest,
  formatAmzDate,
  formatCredentialScope,
  formatMultiRegionScope,
  hostFinder,
  isChecksumHeader,
  isHostEntry,
  isNormalisedPath,
  isScopeDate,
  normalisePath,
  parseAmzDate,
  parseChecksum,
  parseCredential,
  parseMultiRegionCredential,
  parsePayloadMode,
  parseQueryParameters,
  parseRegionSet,
  parseRequestTarget,
  parseSignedHeaders,
  PAYLOAD_TOKENS,
  readHeaders,
  type Examined,
  type QueryParameters,
  type Refused,
} from '@sigv4-keyd/sigv4-core';
import { hold, type Target } from '../engine/target.js';
import { policyWith } from '../../sigv4-core/policy.js';
import { isKnownRefusal } from './refusals.js';

const CORE = ['packages/sigv4-core/dist/'];
const NOW = Date.UTC(2026, 10, 22, 12);
const ENCODED = /^(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})*$/;
const HMAC_SIGNATURE = 'a'.repeat(64);
/** A signature of r = s = 1: well formed, and nobody's. */
const DER_SIGNATURE = '3006020101020101';

const requestTarget: Target = {
  name: 'request-target',
  covers: CORE,
  seeds: ['/', '/a%20b/c?d=e%2Ff&g', '/a//b/./../%2e%2E/', '/%e6%97%a5?', '/\xfc?=&&=', '*', 'http://host/'],
  words: ['%2F', '%2e', '//', '/../', '/./', '?', '%'],
  run(input) {
    const text = latin1(input);
    const target = parseRequestTarget(text);
    if (isKnownRefusal(target)) return false;
    const { path, query } = target;
    hold(text === (text.includes('?') ? `${path}?${query}` : path), 'path and query make the target');
    const uri = canonicalUri(path, 's3');
    hold(
      uri.split('/').every((segment) => ENCODED.test(segment)),
      'canonical segments are uniform',
    );
    hold(canonicalUri(uri, 's3') === uri, 'a canonical URI is its own');
    hold(decoded(uri) === decoded(path), 'the canonical URI names the same bytes');
    const normal = normalisePath(path);
    hold(isNormalisedPath(normal) && normalisePath(normal) === normal, 'a normalised path is normalised');
    hold(decoded(canonicalUri(path, 'standard')) === (isNormalisedPath(path) ? path : normal), 'encoded once more');
    return true;
  },
};

const query: Target = {
  name: 'query',
  covers: CORE,
  seeds: ['', 'a=b&c', 'list-type=2&prefix=x%2Fy+z&a-b=1&a=1&a=0', 'X-Amz-Date=1&x-amz-date=2', '&&=&=a', 'a==b%3D'],
  words: ['X-Amz-', 'x-amz-signature=', '%41', '%26', '&', '=', '+', '%2B'],
  run(input) {
    const parameters = parseQueryParameters(target(input));
    if (isKnownRefusal(parameters)) return false;
    const canonical = canonicalQuery(parameters.all, 'header');
    const pairs = canonical === '' ? [] : canonical.split('&').map((pair) => pair.split('='));
    hold(
      pairs.every((pair) => pair.length === 2 && pair.every((part) => ENCODED.test(part))),
      'uniform, name=value',
    );
    hold(canonical === independentQuery(parameters), 'sorted by bytes, by name and then by value');
    const again = parseQueryParameters(canonical);
    hold('all' in again && canonicalQuery(again.all, 'header') === canonical, 'a canonical query is its own');
    const amz = parameters.all.filter(({ name }) => name.toLowerCase().startsWith('x-amz-'));
    hold(amz.length === parameters.amz.size, 'each X-Amz-* parameter is there once');
    return true;
  },
};

const authorization: Target = {
  name: 'authorization',
  covers: CORE,
  seeds: [
    `AWS4-HMAC-SHA256 Credential=AKID/20261122/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${HMAC_SIGNATURE}`,
    `AWS4-HMAC-SHA256 Signature=${HMAC_SIGNATURE},SignedHeaders=host;x-amz-date,Credential=AKID/20261122/us-east-1/service/aws4_request`,
    `AWS4-ECDSA-P256-SHA256 Credential=AKID/20261122/service/aws4_request, SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=${DER_SIGNATURE}`,
    'Bearer token',
  ],
  words: ['AWS4-HMAC-SHA256 ', 'AWS4-ECDSA-P256-SHA256 ', 'Credential=', 'SignedHeaders=', 'Signature=', ', ', 'host'],
  run(input) {
    const examined = examinedWith(latin1(input));
    if (isKnownRefusal(examined)) return false;
    const { algorithm, accessKeyId, scope, signedHeaders, signature } = examined;
    const written = algorithm === 'AWS4-HMAC-SHA256' ? formatCredentialScope(scope) : formatMultiRegionScope(scope);
    const parts = [`Credential=${accessKeyId}/${written}`, `SignedHeaders=${signedHeaders.join(';')}`];
    const again = examinedWith(`${algorithm} ${parts.join(', ')}, Signature=${signature}`);
    hold('verdict' in again && again.verdict === 'examined', 'what was read is read again');
    hold(latin1(input).includes(`=${accessKeyId}/`) && latin1(input).includes(signature), 'nothing was made up');
    return true;
  },
};

const expires: Target = {
  name: 'expires',
  covers: CORE,
  seeds: ['1', '604800', '604801', '0', '-1', '1e3', '0x10', ' 60', '60.0', 'NaN', ''],
  words: ['%30', '+', 'Infinity'],
  run(input) {
    const text = target(input).replaceAll('&', '');
    const parts = `X-Amz-Credential=AKID%2F20261122%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-SignedHeaders=host`;
    const signature = `X-Amz-Signature=${HMAC_SIGNATURE}`;
    const signed = `/?X-Amz-Algorithm=AWS4-HMAC-SHA256&${parts}&X-Amz-Date=20261122T120000Z&${signature}`;
    const head = { method: 'GET', target: `${signed}&X-Amz-Expires=${text}`, rawHeaders: ['host', 'a.example'] };
    const examined = examineRequest(head, policyWith(), NOW);
    const seconds = Number(decoded(text));
    const isGood = /^[1-9][0-9]{0,5}$/.test(decoded(text)) && seconds <= 604_800 && !/%(?![0-9A-Fa-f]{2})/.test(text);
    hold(isGood !== isKnownRefusal(examined), 'one to 604800 whole seconds, and nothing else');
    if ('expiresAt' in examined) hold(examined.expiresAt === NOW + seconds * 1000, 'the URL lives as long as it says');
    return isGood;
  },
};

const credential: Target = {
  name: 'credential',
  covers: CORE,
  seeds: ['AKID/20261122/us-east-1/s3/aws4_request', 'AKID/20240229/s3/aws4_request', 'a/b/c/d/e/f', '////', ''],
  words: ['/aws4_request', '/20261122/', '/s3/', 'aws4_request'],
  run(input) {
    const text = latin1(input);
    const one = parseCredential(text);
    const isOne = !isKnownRefusal(one);
    if (isOne) hold(`${one.accessKeyId}/${formatCredentialScope(one.scope)}` === text, 'one spelling');
    const several = parseMultiRegionCredential(text);
    if (isKnownRefusal(several)) return isOne;
    hold(`${several.accessKeyId}/${formatMultiRegionScope(several.scope)}` === text, 'one spelling');
    hold(!('region' in several.scope), 'a multi-region scope has no region');
    return true;
  },
};

const signedHeaders: Target = {
  name: 'signed-headers',
  covers: CORE,
  seeds: ['host', 'host;x-amz-date', 'content-type;host;x-amz-date', 'Host', 'x;a', 'a;a', ';', 'authorization;host'],
  words: ['host', ';', 'x-amz-', 'authorization'],
  run(input) {
    const text = latin1(input);
    const names = parseSignedHeaders(text);
    if (isKnownRefusal(names)) return false;
    hold(names.join(';') === text, 'one spelling');
    const sorted = [...new Set(names)].sort((a, b) =>
      Buffer.compare(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')),
    );
    hold(sorted.join(';') === text, 'sorted by bytes, each once');
    hold(!names.includes('authorization') && !/[A-Z\s]/.test(text), 'lower case, and not the signature itself');
    return true;
  },
};

const dates: Target = {
  name: 'dates',
  covers: CORE,
  seeds: ['20261122T120000Z', '20240229T235959Z', '20230229T000000Z', '21000229T000000Z', '99991231T235959Z', '2026'],
  words: ['T000000Z', 'T240000Z', 'T235960Z', '0229', '1231', 'Z'],
  mostBytes: 64,
  run(input) {
    const text = latin1(input);
    const isDay = isRealInstant(`${text.slice(0, 8)}T000000Z`) && text.length === 8;
    hold(isScopeDate(text) === isDay, 'a scope date is a day that exists');
    const parsed = parseAmzDate(text);
    hold((parsed !== undefined) === isRealInstant(text), 'an x-amz-date is an instant that exists');
    if (parsed === undefined) return false;
    hold(formatAmzDate(parsed.at) === text, 'one spelling');
    hold(parsed.date === text.slice(0, 8) && parsed.at === Date.parse(extended(text)), 'the instant that it spells');
    return true;
  },
};

const payloadHash: Target = {
  name: 'payload-hash',
  covers: CORE,
  seeds: [...Object.values(PAYLOAD_TOKENS), sha256('a'), sha256('a').toUpperCase(), 'toString', '__proto__', ''],
  words: ['STREAMING-', '-TRAILER', 'UNSIGNED-PAYLOAD'],
  run(input) {
    const text = latin1(input);
    const mode = parsePayloadMode(text);
    const isKnown = Object.values<string>(PAYLOAD_TOKENS).includes(text) || /^[0-9a-f]{64}$/.test(text);
    hold((mode !== undefined) === isKnown, 'a hash in lower case, or a token of the table');
    if (mode === undefined) return false;
    hold(mode.kind === 'exact' ? mode.sha256 === text : PAYLOAD_TOKENS[mode.kind] === text, 'the mode that it names');
    return true;
  },
};

const regionSet: Target = {
  name: 'region-set',
  covers: CORE,
  seeds: ['us-east-1', '*', 'us-*,eu-west-1', 'us-east-1 , eu-west-1', ',', 'us-*-1', '**', 'a,'.repeat(120)],
  words: ['us-', 'east-1', '*', ',', ' ,', ', '],
  run(input) {
    const text = latin1(input);
    const set = parseRegionSet(text);
    if (isKnownRefusal(set)) return false;
    hold(set.join(',') === text.replaceAll(/ ?, ?/g, ','), 'all entries, as they stand');
    for (const region of ['us-east-1', 'eu-west-1', 'x']) {
      const pattern = (entry: string): RegExp => new RegExp(`^${entry.replaceAll('*', '.*')}$`);
      hold(coversRegion(set, region) === set.some((entry) => pattern(entry).test(region)), `covers ${region}`);
    }
    return true;
  },
};

const headers: Target = {
  name: 'headers',
  covers: CORE,
  seeds: [
    'host: a\nX-A:  b \t c\nx-a:d',
    'Host:a\nhost:b',
    'a b:c',
    ':',
    'x:\x00',
    'x:\xfc',
    'X-Amz-Date:1\nx-amz-date:1',
  ],
  words: ['host:', 'authorization:', 'x-amz-date:', 'content-length:', '\n', ': '],
  run(input) {
    const rawHeaders = linesAsHeaders(latin1(input));
    const table = readHeaders(rawHeaders);
    if (isKnownRefusal(table)) return false;
    const expected = new Map<string, string>();
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = (rawHeaders[at] ?? '').toLowerCase();
      const value = (rawHeaders[at + 1] ?? '')
        .split(/[ \t]+/)
        .filter((part) => part !== '')
        .join(' ');
      const before = expected.get(name);
      expected.set(name, before === undefined ? value : `${before},${value}`);
    }
    hold(
      JSON.stringify([...table]) === JSON.stringify([...expected]),
      'trimmed, blanks collapsed, repeated ones joined',
    );
    return true;
  },
};

const host: Target = {
  name: 'host',
  covers: CORE,
  seeds: ['a.example', 'bucket.a.example:8443', '*.a.example', '[::1]:80', 'A.EXAMPLE', '.a.example', 'a.b.a.example'],
  words: ['.a.example', '*.', ':8443', '[::1]'],
  run(input) {
    const text = latin1(input);
    const find = hostFinder(['a.example', '*.a.example', '*.a.example:8443', '*.b.a.example', '[::1]:80']);
    const match = find(text);
    if (match?.kind === 'exact') hold(['a.example', '[::1]:80'].includes(text.toLowerCase()), 'listed itself');
    if (match?.kind === 'wildcard') {
      hold(/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(match.labels), 'whole labels stand for the star');
      hold(text.toLowerCase().startsWith(`${match.labels}.`), 'those of the host itself');
    }
    if (isHostEntry(text)) {
      const found = hostFinder([text])(text.startsWith('*.') ? `x${text.slice(1)}` : text);
      hold(found !== undefined, 'what is an entry is found');
    }
    return match !== undefined;
    return true;
  },
};

const checksum: Target = {
  name: 'checksum',
  covers: CORE,
  seeds: ['x-amz-checksum-crc32:AAAAAA==', `x-amz-checksum-sha256:${'A'.repeat(43)}=`, 'x-amz-checksum-crc32:AAAAAB=='],
  words: [...Object.keys(CHECKSUM_BYTES), ':', '=='],
  run(input) {
    const [name = '', value = ''] = latin1(input).split(':', 2);
    if (!isChecksumHeader(name)) return false;
    const bytes = parseChecksum(name, value);
    if (isKnownRefusal(bytes)) return false;
    hold(bytes.length === CHECKSUM_BYTES[name] && bytes.toString('base64') === value, 'its one canonical spelling');
    return true;
  },
};

export const REQUEST_PARTS: readonly Target[] = [
  ...[requestTarget, query, authorization, expires, credential, signedHeaders],
  ...[dates, payloadHash, regionSet, headers, host, checksum],
];

/** A header a line. */
export function linesAsHeaders(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1)];
  });
}

function examinedWith(authorizationHeader: string): Examined | Refused {
  const amz = ['x-amz-date', '20261122T120000Z', 'x-amz-region-set', 'us-*'];
  const isEcdsa = authorizationHeader.includes('ECDSA');
  const rawHeaders = ['host', 'a.example', ...amz.slice(0, isEcdsa ? 4 : 2), 'authorization', authorizationHeader];
  const policy = policyWith({ algorithms: new Set(['AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256']) });
  return examineRequest({ method: 'GET', target: '/', rawHeaders }, policy, NOW);
}

/** What a request target may hold, so that the parser of queries is given what it is given in truth. */
function target(input: Buffer): string {
  return latin1(input)
    .replaceAll(/[^!"\x24-\x7e\x80-\xff%]/g, '')
    .replaceAll(/%(?![0-9A-Fa-f]{2})/g, '');
}

function independentQuery({ all }: QueryParameters): string {
  const bytes = all.map(({ name, value }) => [Buffer.from(name), Buffer.from(value)] as const);
  bytes.sort(
    ([name, value], [otherName, otherValue]) => Buffer.compare(name, otherName) || Buffer.compare(value, otherValue),
  );
  return bytes.map(([name, value]) => `${name.toString()}=${value.toString()}`).join('&');
}

function isRealInstant(text: string): boolean {
  if (!/^[2-9]\d{7}T\d{6}Z$/.test(text)) return false;
  const at = Date.parse(extended(text));
  return !Number.isNaN(at) && new Date(at).toISOString().replaceAll(/[-:]|\.000/g, '') === text;
}

function extended(text: string): string {
  return text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
}

function decoded(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function latin1(input: Buffer): string {
  return input.toString('latin1');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
