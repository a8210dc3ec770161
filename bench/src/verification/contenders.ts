import { createHmac, hash } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import {
  concludeRequest,
  examineRequest,
  exportKSigning,
  isRefused,
  reference,
  type RequestHead,
} from '@sigv4-keyd/sigv4-core';
import { SignatureV4 } from '@smithy/signature-v4';
import aws4 from 'aws4';
import { ACCESS_KEY, HOST, NOW, REGION, SESSION_TOKEN, type MeasuredRequest } from './measured-requests.js';

/** Something that is measured; a number is which of many copies of the request it is. */
export type Work = (turn: number) => unknown;

/** Everybody who verifies this request, by name. */
export function contenders(request: MeasuredRequest): Readonly<Record<string, Work>> {
  return {
    'sigv4-core': verifier({ examineRequest, concludeRequest }, request),
    'of that, before the key': examiner(request),
    'its reference': verifier(reference, request),
    'hashes in Node.js': bareHashes(request),
    aws4: aws4Signer(request),
    '@smithy/signature-v4': smithySigner(request),
  };
}

function verifier(
  { examineRequest, concludeRequest }: Pick<typeof reference, 'examineRequest' | 'concludeRequest'>,
  { othersLikeIt, head, policy, key }: MeasuredRequest,
): Work {
  const heads = othersLikeIt.map(copyOf);
  return (turn) => {
    const examined = examineRequest(heads[turn % heads.length] ?? head, policy, NOW);
    if (isRefused(examined)) throw new Error(`a good request was refused: ${examined.reason}`);
    const verdict = concludeRequest(examined, key);
    if (isRefused(verdict)) throw new Error(`a good request was refused: ${verdict.reason}`);
  };
}

/** Shapes are learnt by the contender before, which has the same policy. */
function examiner({ othersLikeIt, head, policy }: MeasuredRequest): Work {
  const heads = othersLikeIt.map(copyOf);
  return (turn) => examineRequest(heads[turn % heads.length] ?? head, policy, NOW);
}

/** What no verifier on Node.js can do without: three hashes, in the fastest way there is. */
function bareHashes({ canonicalRequest, stringToSign, key }: MeasuredRequest): Work {
  const bytes = exportKSigning(key);
  const expected = createHmac('sha256', bytes).update(stringToSign).digest('hex');
  const padded = (pad: number): Buffer => Buffer.from(Array.from({ length: 64 }, (_, at) => (bytes[at] ?? 0) ^ pad));
  const canonical = Buffer.from(canonicalRequest, 'latin1');
  const inner = Buffer.concat([padded(0x36), Buffer.from(stringToSign)]);
  const outer = Buffer.concat([padded(0x5c), Buffer.alloc(32)]);
  const messageAt = inner.length - 64;
  return () => {
    inner.write(hash('sha256', canonical), messageAt, 'latin1');
    outer.write(hash('sha256', inner, 'binary'), 64, 'latin1');
    if (hash('sha256', outer) !== expected) throw new Error('another signature');
  };
}

// Their verifiers sign the request again and compare.

function aws4Signer({ kind, method, target, headers, service }: MeasuredRequest): Work {
  return () =>
    aws4.sign(
      {
        ...{ service, region: REGION, method, path: target, host: HOST },
        headers: Object.fromEntries(headers),
        signQuery: kind === 'presigned',
      },
      credentialsOf(kind),
    );
}

function smithySigner({ kind, method, target, headers, service }: MeasuredRequest): Work {
  const options = {
    region: REGION,
    service,
    credentials: credentialsOf(kind),
    sha256: Sha256,
    uriEscapePath: service !== 's3',
  };
  const signer = new SignatureV4(options);
  return () => {
    const request = {
      ...{ method, protocol: 'https:', hostname: HOST, path: target, query: {} },
      headers: Object.fromEntries(headers),
    };
    return kind === 'presigned' ? signer.presign(request) : signer.sign(request);
  };
}

function credentialsOf(kind: MeasuredRequest['kind']): typeof ACCESS_KEY & { readonly sessionToken?: string } {
  return kind === 'presigned' ? { ...ACCESS_KEY, sessionToken: SESSION_TOKEN } : ACCESS_KEY;
}

/** In strings of its own, as a parser makes them: what a runtime knows of one that it has met before does not count. */
function copyOf({ method, target, rawHeaders }: RequestHead): RequestHead {
  return { method: copied(method), target: copied(target), rawHeaders: rawHeaders.map(copied) };
}

function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
