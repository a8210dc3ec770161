import { request as httpRequest, type Agent } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import {
  presignRequest,
  presignRequestV4a,
  sha256Hex,
  signRequest,
  signRequestV4a,
  type Credentials,
  type MultiRegionCredentials,
  type SigningPayload,
} from '@sigv4-keyd/sigv4-core';

export const ACCESS_KEY_ID = 'AKIAEDGEVERIFIERTEST';
export const SECRET = 'a-secret-that-must-never-leave-the-tests';
export const HOST = 'files.example.com';
export const NOW = Date.parse('2026-11-22T10:00:00Z');

export interface Draft {
  readonly method?: string;
  readonly target?: string;
  readonly host?: string;
  /** Signed, beside host and x-amz-*. */
  readonly headers?: readonly (readonly [string, string])[];
  /** Added after signing. */
  readonly unsigned?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  /** What is stated of the body; by default its exact hash. */
  readonly payload?: SigningPayload;
  readonly region?: string;
  /** Signs with AWS4-ECDSA-P256-SHA256 for these regions instead. */
  readonly regionSet?: readonly string[];
  readonly service?: string;
  readonly accessKeyId?: string;
  readonly secret?: string;
  /** Signed: in the header, or in the query of a presigned URL. */
  readonly sessionToken?: string;
  readonly now?: number;
}

export interface Message {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** Who signs a draft. */
export function credentialsOf(
  draft: Pick<Draft, 'accessKeyId' | 'secret' | 'sessionToken'>,
): Credentials & MultiRegionCredentials {
  const { accessKeyId = ACCESS_KEY_ID, secret: secretAccessKey = SECRET, sessionToken } = draft;
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

/** A request signed in its header. */
export function signed(draft: Draft = {}): Message {
  const { method = 'GET', target = '/', host = HOST, region = 'eu-west-1', service = 's3', now = NOW } = draft;
  const body = Buffer.from(draft.body ?? '');
  const headers = [['host', host], ...(draft.headers ?? [])] as const;
  const payload = draft.payload ?? { kind: 'exact', sha256: sha256Hex(body) };
  const credentials = credentialsOf(draft);
  const request = { method, target, headers };
  const added = draft.regionSet
    ? signRequestV4a(request, credentials, { now, regionSet: draft.regionSet, service, payload })
    : signRequest(request, credentials, { now, region, service, payload });
  return { method, target, headers: [...headers, ...added.headers, ...(draft.unsigned ?? [])], body };
}

/** A presigned URL's request. */
export function presigned(draft: Draft & { readonly expiresSeconds?: number } = {}): Message {
  const { method = 'GET', target = '/', host = HOST, region = 'eu-west-1', service = 's3', now = NOW } = draft;
  const headers = [['host', host], ...(draft.headers ?? [])] as const;
  const credentials = credentialsOf(draft);
  const request = { method, target, headers };
  const expiresSeconds = draft.expiresSeconds ?? 300;
  const signing = { now, service, expiresSeconds, ...(draft.payload && { payload: draft.payload }) };
  const { target: presignedTarget } = draft.regionSet
    ? presignRequestV4a(request, credentials, { ...signing, regionSet: draft.regionSet })
    : presignRequest(request, credentials, { ...signing, region });
  const body = Buffer.from(draft.body ?? '');
  return { method, target: presignedTarget, headers: [...headers, ...(draft.unsigned ?? [])], body };
}

export interface Reply {
  readonly status: number;
  readonly statusText: string;
  readonly rawHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  readonly continued: boolean;
}

export interface SendOptions {
  readonly tls?: { readonly rejectUnauthorized: boolean };
  /** Sends the body in chunks instead of with its length. */
  readonly chunked?: boolean;
  /** Sends the body only after "100 Continue". */
  readonly expectContinue?: boolean;
  /** Keeps connections; by default each request has its own. */
  readonly agent?: Agent;
}

/** Sends a message as it is and gives the whole answer. */
export function send(address: string, message: Message, options: SendOptions = {}): Promise<Reply> {
  const [host, port] = address.split(':');
  const framing: [string, string][] = [];
  if (options.chunked) framing.push(['transfer-encoding', 'chunked']);
  else if (message.body.length > 0) framing.push(['content-length', String(message.body.length)]);
  if (options.expectContinue) framing.push(['expect', '100-continue']);
  const headers = [...message.headers, ...framing].flat();
  return new Promise((resolve, reject) => {
    const request = (options.tls ? httpsRequest : httpRequest)({
      host,
      port,
      method: message.method,
      path: message.target,
      headers,
      setHost: false,
      agent: options.agent ?? false,
      ...options.tls,
    });
    let continued = false;
    request.on('continue', () => {
      continued = true;
      request.end(message.body);
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders, headers: received } = response;
        const body = Buffer.concat(chunks).toString('latin1');
        resolve({ status, statusText, rawHeaders, headers: received, body, continued });
        if (!options.agent) request.destroy();
      });
    });
    request.on('error', reject);
    if (options.expectContinue) request.flushHeaders();
    else request.end(message.body);
  });
}

/** The bytes of a message's head, and what comes after it as given. */
export function wireOf(message: Message, extra: readonly string[] = [], body = ''): string {
  const lines = message.headers.map(([name, value]) => `${name}: ${value}`);
  return [`${message.method} ${message.target} HTTP/1.1`, ...lines, ...extra, '', ''].join('\r\n') + body;
}

/** Sends bytes and gives all that comes back until the other side closes. */
export function sendRaw(address: string, wire: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host ?? '');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(Buffer.from(wire, 'latin1'));
  });
}
