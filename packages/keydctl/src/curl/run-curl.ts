import { readFile } from 'node:fs/promises';
import { createSigner, credentialsFromEnvironment, type Signer } from '@sigv4-keyd/sigv4-client';
import type { Surroundings } from '../command-line/surroundings.js';
import { write } from '../command-line/write-outcome.js';
import { curlBody, targetOf } from './curl-body.js';
import { CurlFailure, curlFailureOf, fail } from './curl-failure.js';
import { curlHeaders } from './curl-headers.js';
import type { CurlOptions } from './curl-options.js';
import { curlScope } from './curl-scope.js';
import { printAnswer, requestLines } from './print-answer.js';

/** Signs one request and sends it, or prints a presigned URL. Rejects with a CurlFailure. */
export async function runCurl(address: string, options: CurlOptions, surroundings: Surroundings): Promise<void> {
  const url = targetOf(urlFrom(address), options);
  const deadline = options.maxTime === undefined ? undefined : AbortSignal.timeout(options.maxTime * 1000);
  try {
    const answer = await prepared(url, options, surroundings, deadline);
    if (answer !== undefined) await printAnswer(answer, options, surroundings);
  } catch (error) {
    // Whatever the end of the request looked like: this was its cause.
    throw deadline?.aborted === true ? fail('timeout', 'it took too long', error) : curlFailureOf(error);
  }
}

async function prepared(
  url: URL,
  options: CurlOptions,
  surroundings: Surroundings,
  deadline: AbortSignal | undefined,
): Promise<Awaited<ReturnType<Signer['request']>> | undefined> {
  const { payload, presign, verbose, insecure, cacert } = options;
  const credentials = credentialsFromEnvironment(surroundings.env);
  const scope = curlScope(url, options, surroundings);
  const signer = createSigner({ ...scope, credentials, payload, now: surroundings.now });
  if (presign !== undefined) {
    await write(surroundings.output, `${await presigned(signer, url, presign, options)}\n`);
    return undefined;
  }
  const { method, body, contentType } = await curlBody(options, surroundings).catch(unreadable);
  return signer.request(url, {
    method,
    body,
    headers: curlHeaders(options.header, contentType),
    agent: false,
    rejectUnauthorized: !insecure,
    ...(cacert !== undefined && { ca: await readFile(cacert) }),
    ...(deadline && { signal: deadline }),
    ...(verbose && { onSending: (head) => void surroundings.errorOutput.write(requestLines(head)) }),
  });
}

function presigned(signer: Signer, url: URL, expires: number, { request, head, header }: CurlOptions): Promise<string> {
  const headers = Object.entries(curlHeaders(header, undefined)).map(
    ([name, values]) => [name, values.join(',')] as const,
  );
  const method = request ?? (head ? 'HEAD' : 'GET');
  return signer.presign(url, { expires, method, headers: Object.fromEntries(headers) });
}

function unreadable(error: unknown): never {
  if (error instanceof CurlFailure) throw error;
  throw fail('read', error instanceof Error ? error.message : String(error), error);
}

function urlFrom(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw fail('url', 'the URL is none of http or https');
  if (url.username !== '' || url.password !== '') {
    throw new CurlFailure('usage', 'the URL holds a password', 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY');
  }
  return url;
}
