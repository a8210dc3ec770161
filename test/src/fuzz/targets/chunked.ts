import {
  ChunkDecoder,
  PAYLOAD_TOKENS,
  examineRequest,
  isChunkedMode,
  isRefused,
  type ChunkedMode,
  type ChunkedPayload,
  type Examined,
} from '@sigv4-keyd/sigv4-core';
import { Broken, hold, type Target } from '../engine/target.js';
import { decode, LIMITS, NOW, sha256Of, upload, type Outcome } from '../../sigv4-core/chunked-bodies.js';
import { oracleWire } from '../../sigv4-core/chunked-oracle.js';
import { ACCESS_KEY_ID, policyWith, signingKey } from '../../sigv4-core/policy.js';
import { isKnownRefusal } from './refusals.js';

const MODES: readonly ChunkedMode[] = ['streaming-signed', 'streaming-signed-trailer', 'streaming-unsigned-trailer'];
const CHUNKS = [Buffer.from('hello '), Buffer.from('wide\r\n0\r\n'), Buffer.from('world')];
const REGION = 'us-east-1';
const SERVICE = 's3';
const SEED = 'a'.repeat(64);
const AMZ_DATE = '20261122T100000Z';

/**
 * The body that a request in chunks has. The input says how long it is to be: `LENGTH`, a line end, the wire's bytes.
 * Chunks and trailers are signed anew before they are read, so that the search goes on behind the first signature.
 */
function bodyIn(mode: ChunkedMode): Target {
  const { examined, trailers } = examinedIn(mode);
  return {
    name: mode,
    covers: ['packages/sigv4-core/dist/'],
    seeds: seedsOf(mode),
    words: [
      '\r\n',
      '0\r\n\r\n',
      ';chunk-signature=',
      'x-amz-checksum-sha256:',
      'x-amz-trailer-signature:',
      SEED,
      '\n5\r\n',
    ],
    run(input) {
      const at = input.indexOf('\n');
      const decodedLength = Number(input.toString('latin1', 0, Math.max(at, 0)));
      if (!Number.isSafeInteger(decodedLength) || decodedLength < 0) return false;
      const wire = signedAnew(mode, input.subarray(at + 1));
      const payload: ChunkedPayload = { kind: mode, decodedLength, trailers };
      const decoder = (): ChunkDecoder =>
        new ChunkDecoder({ ...examined, signature: SEED, payload }, signingKey(examined.scope), LIMITS);
      const whole = decode(decoder(), wire);
      const inBytes = decode(decoder(), wire, [...wire.keys()]);
      hold(isSame(whole, inBytes), 'what comes of a body does not depend on how it is cut');
      const data = Buffer.concat([whole.early, whole.last]);
      hold(data.length <= wire.length && data.length <= decodedLength, 'no data is made up');
      hold(whole.early.length < Math.max(decodedLength, 1), 'the last byte stays until the end');
      if (whole.trailers === undefined) return false;
      hold(data.length === decodedLength && whole.wire.equals(wire), 'all of it is released');
      hold(wireOf(mode, wire, whole).equals(wire), 'another writer writes the same bytes');
      return true;
    },
  };
}

/** The headers that announce a body in chunks. Decoded length, trailers and Content-Encoding are the input's lines. */
const announcement: Target = {
  name: 'chunked-headers',
  covers: ['packages/sigv4-core/dist/'],
  seeds: MODES.flatMap((mode) => [
    `${PAYLOAD_TOKENS[mode]}\n0\nx-amz-checksum-crc32\naws-chunked`,
    `${PAYLOAD_TOKENS[mode]}\n9007199254740991\nx-amz-checksum-crc32, X-Amz-Checksum-Sha1\ngzip,aws-chunked`,
  ]),
  words: ['aws-chunked', 'x-amz-checksum-crc64nvme', ',', '\n', '9999999999999999'],
  run(input) {
    const [mode = '', length = '', trailers, encoding] = input.toString('latin1').split('\n');
    const headers = {
      ...{ host: 'a.example', 'x-amz-date': AMZ_DATE, 'x-amz-content-sha256': mode },
      'x-amz-decoded-content-length': length,
      ...(trailers !== undefined && trailers !== '' && { 'x-amz-trailer': trailers }),
      ...(encoding !== undefined && encoding !== '' && { 'content-encoding': encoding }),
    };
    const examined = examinedWith(headers);
    if (isKnownRefusal(examined)) return false;
    const { payload } = examined;
    if (!isChunked(payload)) return false;
    hold(String(payload.decodedLength) === length.replaceAll(/[ \t]/g, ''), 'a length that is plain digits, and exact');
    const announced = (trailers ?? '').split(',').map((name) => name.replaceAll(/[ \t]/g, '').toLowerCase());
    const expected = trailers === undefined || trailers === '' ? [] : announced.sort();
    hold(payload.trailers.join(',') === expected.join(','), 'the trailers that are announced');
    hold(
      (payload.kind === 'streaming-signed') === (payload.trailers.length === 0),
      'trailers where there must be some',
    );
    return true;
  },
};

export const CHUNKED: readonly Target[] = [...MODES.map(bodyIn), announcement];

function seedsOf(mode: ChunkedMode): readonly Buffer[] {
  return [CHUNKS, CHUNKS.slice(0, 1), []].flatMap((chunks) => {
    const { wire } = upload({ kind: mode, chunks });
    const text = wire.toString('latin1');
    return [wire, Buffer.from(text.toUpperCase(), 'latin1'), wire.subarray(0, -3)].map((one) =>
      Buffer.concat([Buffer.from(`${Buffer.concat([...chunks]).length}\n`), one]),
    );
  });
}

function examinedIn(mode: ChunkedMode): { readonly examined: Examined } & Pick<ChunkedPayload, 'trailers'> {
  const trailers = mode === 'streaming-signed' ? [] : (['x-amz-checksum-sha256'] as const);
  const examined = examinedWith({
    ...{ host: 'a.example', 'x-amz-date': AMZ_DATE, 'x-amz-content-sha256': PAYLOAD_TOKENS[mode] },
    'x-amz-decoded-content-length': '0',
    ...(trailers.length > 0 && { 'x-amz-trailer': trailers.join(',') }),
  });
  if (isRefused(examined)) throw new Broken(`the head was refused: ${examined.reason}`);
  return { examined, trailers };
}

function examinedWith(headers: Readonly<Record<string, string>>): ReturnType<typeof examineRequest> {
  const signedHeaders = Object.keys(headers).sort().join(';');
  const credential = `${ACCESS_KEY_ID}/20261122/${REGION}/${SERVICE}/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${SEED}`;
  const rawHeaders = [...Object.entries(headers), ['authorization', authorization]].flat();
  const policy = policyWith({ service: SERVICE, pathRule: 's3' });
  return examineRequest({ method: 'PUT', target: '/a', rawHeaders }, policy, NOW);
}

/** Puts the signatures in that belong there, as far as the bytes can be followed. */
function signedAnew(mode: ChunkedMode, wire: Buffer): Buffer {
  if (mode === 'streaming-unsigned-trailer') return wire;
  const signed = Buffer.from(wire);
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = /^([0-9a-fA-F]{1,4});chunk-signature=[0-9a-f]{64}\r\n/.exec(signed.toString('latin1', at, at + 100));
    if (!line) return signed;
    const size = Number.parseInt(line[1] ?? '', 16);
    const start = at + line[0].length;
    if (start + size > signed.length) return signed;
    if (size > 0) chunks.push(signed.subarray(start, start + size));
    const { signatures } = writtenBy({ mode, chunks, trailers: [] });
    const signature = signatures[size > 0 ? chunks.length - 1 : chunks.length] ?? '';
    signed.write(signature, start - 2 - signature.length, 'latin1');
    at = start + size + 2;
    if (size === 0) return trailerSignedAnew(mode, signed, start, chunks);
  }
}

function trailerSignedAnew(mode: ChunkedMode, signed: Buffer, from: number, chunks: readonly Buffer[]): Buffer {
  const text = signed.toString('latin1', from);
  const [before, name] = /^((?:[^\r\n]*\r\n)*?)(x-amz-trailer-signature:)[0-9a-f]{64}\r\n/.exec(text)?.slice(1) ?? [];
  if (before === undefined || name === undefined) return signed;
  const trailers = before.split('\r\n').slice(0, -1);
  const signature = writtenBy({ mode, chunks, trailers }).signatures.at(-1) ?? '';
  signed.write(signature, from + before.length + name.length, 'latin1');
  return signed;
}

interface Written {
  readonly wire: Buffer;
  /** In their order. */
  readonly signatures: readonly string[];
}

function writtenBy(body: {
  readonly mode: ChunkedMode;
  readonly chunks: readonly Buffer[];
  readonly trailers: readonly string[];
}): Written {
  const at = { seed: SEED, amzDate: AMZ_DATE, region: REGION, service: SERVICE };
  const wire = oracleWire({ kind: body.mode, chunks: body.chunks, trailers: body.trailers, ...at });
  const text = wire.toString('latin1');
  const signatures = [...text.matchAll(/(?:;chunk|\r\nx-amz-trailer)-signature[=:]([0-9a-f]{64})\r\n/g)];
  return { wire, signatures: signatures.map(([, signature = '']) => signature) };
}

/** What the other writer makes of a body's chunks. Sizes may be in upper case and the trailers' order is the body's. */
function wireOf(mode: ChunkedMode, wire: Buffer, { trailers = new Map() }: Outcome): Buffer {
  const chunks: Buffer[] = [];
  const sizes: string[] = [];
  for (let at = 0; ;) {
    const end = wire.indexOf('\r\n', at);
    const [size = ''] = wire.toString('latin1', at, end).split(';');
    const start = end + 2;
    const length = Number.parseInt(size, 16);
    sizes.push(size);
    if (length === 0) break;
    chunks.push(wire.subarray(start, start + length));
    at = start + length + 2;
  }
  const lines = [...trailers].map(([name, bytes]) => `${name}:${bytes.toString('base64')}`);
  const written = writtenBy({ mode, chunks, trailers: lines }).wire;
  let at = 0;
  for (const size of sizes) {
    written.write(size, at, 'latin1');
    at = written.indexOf('\r\n', at) + 2 + Number.parseInt(size, 16) + 2;
  }
  return written;
}

function isSame(one: Outcome, other: Outcome): boolean {
  return (
    one.reason === other.reason &&
    Buffer.concat([one.early, one.last]).equals(Buffer.concat([other.early, other.last])) &&
    one.wire.equals(other.wire) &&
    sha256Of([one.last]).equals(sha256Of([other.last]))
  );
}

function isChunked(payload: Examined['payload']): payload is ChunkedPayload {
  return isChunkedMode(payload.kind);
}
