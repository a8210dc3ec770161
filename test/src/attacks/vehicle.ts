import { sha256Hex, type Algorithm, type Mechanism, type PayloadModeKind } from '@sigv4-keyd/sigv4-core';
import { chunked } from '../edge-verifier/chunked-client.js';
import { presigned, signed, type Draft, type Message } from '../edge-verifier/client.js';

/** What is signed; the vehicle says how. */
export interface Order extends Omit<Draft, 'payload' | 'regionSet'> {
  readonly expiresSeconds?: number;
}

/** A way to carry a signature and to bind a body to it. */
export interface Vehicle {
  readonly name: string;
  readonly mechanism: Mechanism;
  readonly algorithm: Algorithm;
  readonly mode: PayloadModeKind;
  /** An honest request. */
  readonly sign: (order?: Order) => Promise<Message>;
}

/** Three chunks of the smallest size that S3 takes, the last one shorter. */
export const BODY = Buffer.alloc(20_000, 'what was meant to be stored; ');
export const TARGET = '/bucket/key';

const REGION_SET = ['eu-west-1', 'us-*'];
const PUT = { method: 'PUT', target: TARGET, body: BODY } as const;
const CHUNKED = ['streaming-signed', 'streaming-signed-trailer', 'streaming-unsigned-trailer'] as const;

function payloadOf(mode: 'exact' | 'body' | 'unsigned', body: Order['body'] = BODY): NonNullable<Draft['payload']> {
  return mode === 'unsigned' ? { kind: mode } : { kind: mode, sha256: sha256Hex(Buffer.from(body)) };
}

function inHeader(mode: 'exact' | 'body' | 'unsigned', algorithm: Algorithm): Vehicle {
  const set = algorithm === 'AWS4-HMAC-SHA256' ? {} : { regionSet: REGION_SET };
  return {
    ...{ name: `header, ${mode}, ${algorithm}`, mechanism: 'header', algorithm, mode },
    sign: (order = {}) => Promise.resolve(signed({ ...PUT, ...order, ...set, payload: payloadOf(mode, order.body) })),
  };
}

function inQuery(mode: 'exact' | 'unsigned', algorithm: Algorithm): Vehicle {
  const set = algorithm === 'AWS4-HMAC-SHA256' ? {} : { regionSet: REGION_SET };
  return {
    ...{ name: `presigned, ${mode}, ${algorithm}`, mechanism: 'presigned', algorithm, mode },
    sign: (order = {}) =>
      Promise.resolve(presigned({ ...PUT, ...order, ...set, payload: payloadOf(mode, order.body) })),
  };
}

function inChunks(mode: (typeof CHUNKED)[number]): Vehicle {
  return {
    ...{ name: `header, ${mode}`, mechanism: 'header', algorithm: 'AWS4-HMAC-SHA256', mode },
    sign: ({ body = BODY, ...order } = {}) => chunked({ kind: mode, data: Buffer.from(body), ...order }),
  };
}

/** Chunks that nobody signs, below a head that ECDSA signs. */
const ecdsaTrailer: Vehicle = {
  name: 'header, streaming-unsigned-trailer, AWS4-ECDSA-P256-SHA256',
  mechanism: 'header',
  algorithm: 'AWS4-ECDSA-P256-SHA256',
  mode: 'streaming-unsigned-trailer',
  async sign({ body = BODY, headers = [], ...order } = {}) {
    const framed = await chunked({ kind: 'streaming-unsigned-trailer', data: Buffer.from(body) });
    const ofChunks = framed.headers.filter(([name]) =>
      ['content-encoding', 'x-amz-decoded-content-length', 'x-amz-trailer'].includes(name),
    );
    const payload = { kind: 'streaming-unsigned-trailer' } as const;
    const head = signed({ ...PUT, ...order, headers: [...headers, ...ofChunks], regionSet: REGION_SET, payload });
    return { ...head, body: framed.body };
  },
};

const HMAC = 'AWS4-HMAC-SHA256';
const ECDSA = 'AWS4-ECDSA-P256-SHA256';

/** Both mechanisms, both algorithms, every payload mode. */
export const VEHICLES: readonly Vehicle[] = [
  inHeader('exact', HMAC),
  inHeader('body', HMAC),
  inHeader('unsigned', HMAC),
  ...CHUNKED.map(inChunks),
  inQuery('exact', HMAC),
  inQuery('unsigned', HMAC),
  inHeader('exact', ECDSA),
  inHeader('body', ECDSA),
  inHeader('unsigned', ECDSA),
  ecdsaTrailer,
  inQuery('exact', ECDSA),
  inQuery('unsigned', ECDSA),
];

export const isPresigned = ({ mechanism }: Vehicle): boolean => mechanism === 'presigned';
export const isInHeader = ({ mechanism }: Vehicle): boolean => mechanism === 'header';
export const isHmac = ({ algorithm }: Vehicle): boolean => algorithm === HMAC;
export const isEcdsa = ({ algorithm }: Vehicle): boolean => algorithm === ECDSA;
