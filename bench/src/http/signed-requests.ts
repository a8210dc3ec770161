import {
  EMPTY_BODY_SHA256,
  presignRequest,
  signChunkedRequest,
  signRequest,
  type UnsignedRequest,
} from '@sigv4-keyd/sigv4-core';
import type { LoadSettings } from './load.js';

export const HOST = 'localhost';
const CHUNK_BYTES = 64 * 1024;

/** The wire's bytes of so many requests, each for another object. */
export function signedRequests(settings: LoadSettings, now: number): readonly Buffer[] {
  return Array.from({ length: settings.requests }, (_, n) => requestOf(settings, n, now));
}

function requestOf({ kind, region, service, bodyBytes, ...credentials }: LoadSettings, n: number, now: number): Buffer {
  const target = `/2026/11/22/a-picture-of-a-place-${String(n).padStart(4, '0')}.jpg`;
  const get: UnsignedRequest = { method: 'GET', target, headers: [['Host', HOST]] };
  const put: UnsignedRequest = { ...get, method: 'PUT' };
  const signing = { now, region, service };
  switch (kind) {
    case 'get': {
      const payload = { kind: 'exact', sha256: EMPTY_BODY_SHA256 } as const;
      return wireOf(get, signRequest(get, credentials, { ...signing, payload }).headers);
    }
    case 'presigned': {
      const presigned = presignRequest(get, credentials, { ...signing, expiresSeconds: 3_600 });
      return wireOf({ ...get, target: presigned.target }, []);
    }
    case 'upload':
      return wireOf(put, [], Buffer.alloc(bodyBytes, 'a body '));
    case 'chunked-upload': {
      const { headers, encoder } = signChunkedRequest(put, credentials, {
        ...signing,
        kind: 'streaming-signed',
        decodedLength: bodyBytes,
      });
      const data = Buffer.alloc(bodyBytes, 'a body ');
      const parts: Buffer[] = [];
      for (let at = 0; at < bodyBytes; at += CHUNK_BYTES) {
        parts.push(...encoder.chunk(data.subarray(at, at + CHUNK_BYTES)));
      }
      return wireOf(put, headers, Buffer.concat([...parts, encoder.end()]));
    }
  }
}

function wireOf(
  { method, target, headers }: UnsignedRequest,
  more: readonly (readonly [string, string])[],
  body?: Buffer,
): Buffer {
  const length = body === undefined ? [] : ([['Content-Length', String(body.length)]] as const);
  const lines = [...headers, ...more, ...length].map(([name, value]) => `${name}: ${value}`);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return body === undefined ? head : Buffer.concat([head, body]);
}
