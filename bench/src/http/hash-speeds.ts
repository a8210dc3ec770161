import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { verifiedChunks } from '@sigv4-keyd/payload-streams';
import {
  ChunkDecoder,
  examineRequest,
  isChunkedMode,
  isRefused,
  kDate,
  kRegion,
  kSecret,
  kService,
  kSigning,
  policyFor,
  scopeDateOf,
  signChunkedRequest,
} from '@sigv4-keyd/sigv4-core';
import { median } from '../distribution.js';

/** Bytes a microsecond of CPU time, which is MB/s. */
export interface HashSpeeds {
  /** Undefined: the program is not installed. */
  readonly openssl: number | undefined;
  /** The same hash from JavaScript, a part at a time. */
  readonly node: number;
  /** Bodies in signed chunks, from the wire's parts to verified data. */
  readonly chunks: number;
}

const BODY_BYTES = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** As a socket gives them. */
const PART_BYTES = 64 * 1024;
const SCOPE = { region: 'us-east-1', service: 's3' };
const CREDENTIALS = { accessKeyId: 'AKIABENCHMARKS0001', secretAccessKey: 'a made-up secret for measuring only!' };
const NOW = Date.parse('2026-11-22T12:00:00Z');

/** In turns: what a chunk costs beside the hash that it cannot do without. */
export async function hashSpeeds(rounds: number): Promise<HashSpeeds> {
  const openssl: number[] = [];
  const node: number[] = [];
  const chunks: number[] = [];
  const verify = chunkVerification();
  await verify();
  for (let round = 0; round < rounds; round += 1) {
    const fromProgram = opensslSpeed();
    if (fromProgram !== undefined) openssl.push(fromProgram);
    node.push(await speedOf(hashParts));
    chunks.push(await speedOf(verify));
  }
  return { openssl: openssl.length === 0 ? undefined : median(openssl), node: median(node), chunks: median(chunks) };
}

async function speedOf(work: () => unknown): Promise<number> {
  const begin = process.cpuUsage();
  const turns = 160;
  for (let turn = 0; turn < turns; turn += 1) await work();
  const { user, system } = process.cpuUsage(begin);
  return (turns * BODY_BYTES) / (user + system);
}

function opensslSpeed(): number | undefined {
  const options = ['speed', '-mr', '-seconds', '1', '-bytes', String(PART_BYTES), '-evp', 'sha256'];
  const { stdout, error } = spawnSync('openssl', options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  if (error) return undefined;
  const bytesASecond = /^\+F:\d+:sha256:([\d.]+)/im.exec(stdout)?.[1];
  return bytesASecond === undefined ? undefined : Number(bytesASecond) / 1e6;
}

const part = Buffer.alloc(PART_BYTES, 'a body ');

function hashParts(): void {
  const hash = createHash('sha256');
  for (let at = 0; at < BODY_BYTES; at += PART_BYTES) hash.update(part);
  hash.digest('hex');
}

/** The same bytes in chunks; each turn verifies all of them. */
function chunkVerification(): () => Promise<void> {
  const unsigned = { method: 'PUT', target: '/bucket/key', headers: [['host', 'localhost']] as const };
  const signing = { now: NOW, ...SCOPE, kind: 'streaming-signed', decodedLength: BODY_BYTES } as const;
  const { headers, encoder } = signChunkedRequest(unsigned, CREDENTIALS, signing);
  const framed: Buffer[] = [];
  for (let at = 0; at < BODY_BYTES; at += CHUNK_BYTES) framed.push(...encoder.chunk(part));
  const wire = Buffer.concat([...framed, encoder.end()]);
  const parts = Array.from({ length: Math.ceil(wire.length / PART_BYTES) }, (_, n) =>
    wire.subarray(n * PART_BYTES, (n + 1) * PART_BYTES),
  );
  const key = kSigning(
    kService(kRegion(kDate(kSecret(CREDENTIALS.secretAccessKey), scopeDateOf(NOW)), SCOPE.region), SCOPE.service),
  );
  const policy = policyFor(SCOPE, {
    algorithms: ['AWS4-HMAC-SHA256'],
    hosts: ['localhost'],
    payloadModes: ['streaming-signed'],
    clockSkewSeconds: 900,
    presigned: 'refused',
    sessionTokens: 'refused',
    unnormalisedPaths: 'refused',
  });
  const head = { ...unsigned, rawHeaders: [...unsigned.headers, ...headers].flat() };
  const examined = examineRequest(head, policy, NOW);
  if (isRefused(examined)) throw new Error(`a good request was refused: ${examined.reason}`);
  const { payload } = examined;
  if (!isChunkedMode(payload.kind) || !('decodedLength' in payload)) throw new Error('the body is not in chunks');
  return async () => {
    const decoder = new ChunkDecoder({ ...examined, payload }, key, { smallest: 8_192, largest: 4_194_304 });
    const reading = { trailers: [], declared: new Map(), form: 'decoded', beforeEnd: () => undefined } as const;
    let length = 0;
    for await (const data of verifiedChunks(arriving(parts), decoder, reading)) length += data.length;
    if (length !== BODY_BYTES) throw new Error('a good body came out short');
  };
}

async function* arriving(parts: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  for (const one of parts) yield await Promise.resolve(one);
}
