import { tmpdir } from 'node:os';
import {
  bytes,
  count,
  httpUrl,
  listenAddress,
  readableFile,
  seconds,
  writableFolder,
  yesOrNo,
} from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { algorithms } from './algorithms.js';
import { externalHosts } from './external-hosts.js';
import { ORIGINS } from './forward-auth/original-request.js';
import { payloadModes } from './payload-modes.js';
import { CLIENT_TRACES } from './tracing/client-traces.js';

const atLeastASecond = seconds.refine((time) => time >= 1, 'must be at least 1s');

/** What the fronts of an edge answer, where, and by which rules. */
export const frontSettings = {
  clientTraces: z
    .enum(CLIENT_TRACES)
    .default('linked')
    .describe("A client's own traceparent: ignored, linked to the trace of its request, or trusted as its parent"),
  externalHosts: externalHosts.describe(
    'Hosts that are served, as clients write them: HOST, HOST:PORT or *.SUFFIX, several separated by commas',
  ),
  proxyListen: listenAddress
    .optional()
    .describe('Where the reverse proxy answers, plain HTTP: behind a load balancer only'),
  proxyTlsListen: listenAddress.optional().describe('Where the reverse proxy answers clients, HTTPS'),
  proxyTlsCert: readableFile.optional().describe('PEM file with the public certificate (and its chain)'),
  proxyTlsKey: readableFile.optional().describe('PEM file with its private key'),
  upstream: httpUrl.optional().describe('Where the reverse proxy sends verified requests, http(s)://HOST:PORT'),
  forwardAuthListen: listenAddress
    .optional()
    .describe('Where fronts ask about requests, plain HTTP: must not be reachable by clients'),
  forwardAuthFrom: z
    .enum(ORIGINS)
    .default('x-original')
    .describe('How the front tells of a request: nginx and HAProxy, Traefik and Caddy, or Envoy'),
  forwardAuthBodies: z
    .enum(['refused', 'declared', 'sent'])
    .default('refused')
    .describe('Bodies at a front: refused, their signed hash declared for the upstream to check, or sent along'),
  algorithms: algorithms
    .prefault('AWS4-HMAC-SHA256')
    .describe('Signatures that are accepted: AWS4-HMAC-SHA256, AWS4-ECDSA-P256-SHA256 (SigV4A), or both, with a comma'),
  postForms: yesOrNo
    .prefault('no')
    .describe('Accept forms with a signed policy (POST, multipart/form-data) at the reverse proxy; S3 only'),
  sessionTokens: yesOrNo
    .prefault('yes')
    .describe('Accept temporary credentials, with the session tokens that keydctl session makes'),
  payloadModes: payloadModes
    .prefault('auto')
    .describe(
      'Payload modes that are accepted: exact, body, unsigned, streaming-signed, streaming-signed-trailer, ' +
        'streaming-unsigned-trailer, separated by commas; auto is all but unsigned for S3, exact,body for others',
    ),
  smallestChunk: bytes.prefault('8KiB').describe('Least data of a chunk, but for the last one of a body'),
  largestChunk: bytes
    .prefault('4MiB')
    .describe('Most data of a signed chunk: it waits in memory until its signature was checked'),
  chunkedUpstream: z
    .enum(['decoded', 'as-received'])
    .default('decoded')
    .describe('What the upstream gets of a body in chunks: its data, or also the framing and signatures'),
  unnormalisedPaths: yesOrNo
    .prefault('no')
    .describe('Accept paths with empty or dot segments where the signature covers the normalised path (not S3)'),
  forwardAuthorization: yesOrNo.prefault('no').describe('Let the upstream see the Authorization header'),
  answerShape: z
    .enum(['auto', 's3', 'json', 'query'])
    .default('auto')
    .describe("Form of refusals: S3's XML, AWS JSON, query-service XML, or by service"),
  debugSignatures: yesOrNo
    .prefault('no')
    .describe('For development alone: refusals show the canonical request and the string to sign'),
  refusalsPerSecond: count
    .refine((number) => number >= 1, 'must be at least 1')
    .prefault('100')
    .describe('Refusals that are answered at once, a second; ten times as many in a burst, and others a second late'),
  largestBody: bytes.prefault('5GiB').describe('Largest body of a request'),
  bodyInMemory: bytes.prefault('1MiB').describe('Larger bodies wait in a file until their hash was checked'),
  spoolFolder: writableFolder
    .prefault(() => tmpdir())
    .describe('Folder of these files; they have no name and end with the process'),
  bodyIdle: atLeastASecond.prefault('60s').describe('Longest pause while a client sends a body'),
  upstreamTimeout: atLeastASecond
    .prefault('5m')
    .describe("Longest wait for the upstream's answer to begin, and for each part of it"),
};

export type FrontSettings = z.output<z.ZodObject<typeof frontSettings>>;
