import { z } from 'zod';
import { captureError } from './capture-error.js';
import { fromAnswer, type CapturedRequest } from './captured-request.js';

const header = z.object({ name: z.string(), value: z.string() });
const entry = z.object({
  startedDateTime: z.string().optional(),
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: z.array(header),
    postData: z.object({ text: z.string().optional(), encoding: z.string().optional() }).optional(),
    bodySize: z.number().optional(),
  }),
  response: z.object({ status: z.number(), headers: z.array(header).default([]) }).optional(),
});
const har = z.object({ log: z.object({ entries: z.array(entry) }) });

type Entry = z.infer<typeof entry>;

/** A recording of a browser or a proxy: of its signed requests the last that was refused, or the last of all. */
export function readHar(bytes: Buffer): CapturedRequest {
  const read = har.safeParse(parseJson(bytes));
  if (!read.success) throw captureError('this JSON is no HAR file', 'Export the request as HAR from the browser');
  const signed = read.data.log.entries.filter(isSigned);
  const refused = signed.filter(({ response }) => response !== undefined && response.status >= 400);
  const chosen = refused.at(-1) ?? signed.at(-1);
  if (chosen) return captured(chosen);
  throw captureError(
    'no request of this HAR file is signed with Signature Version 4',
    'Export it with sensitive data: browsers leave the Authorization header out otherwise',
  );
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw captureError('this looks like JSON and is not', 'Give the whole HAR file');
  }
}

function isSigned({ request }: Entry): boolean {
  const inHeader = request.headers.some(
    ({ name, value }) => name.toLowerCase() === 'authorization' && value.startsWith('AWS4-'),
  );
  return inHeader || /[?&]X-Amz-Signature=/i.test(request.url);
}

function captured({ request, response, startedDateTime }: Entry): CapturedRequest {
  const target = targetOf(request.url);
  const started = Date.parse(startedDateTime ?? '');
  const answer = fromAnswer((wanted) => response?.headers.find(({ name }) => name.toLowerCase() === wanted)?.value);
  const headers = request.headers.map(({ name, value }) => [name === ':authority' ? 'host' : name, value] as const);
  const hasHost = headers.some(([name]) => name.toLowerCase() === 'host');
  return {
    method: request.method,
    target: latin1(target.target),
    rawHeaders: [...headers, ...(hasHost ? [] : [['host', target.host] as const])]
      .filter(([name]) => !name.startsWith(':'))
      .flatMap(([name, value]) => [latin1(name), latin1(value)]),
    body: bodyOf(request),
    serverReason: answer.serverReason,
    at: answer.at ?? (Number.isNaN(started) ? undefined : started),
  };
}

function targetOf(text: string): { readonly host: string; readonly target: string } {
  // Not by way of URL: its parser would change the very bytes in question.
  const [, host, target] = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]*)([^#]*)/i.exec(text) ?? [];
  if (host === undefined || target === undefined)
    throw captureError('a URL in the HAR file is none', 'Export it again');
  return { host, target: target.startsWith('/') ? target : `/${target}` };
}

function bodyOf({ postData, bodySize }: Entry['request']): Buffer | undefined {
  if (postData?.text !== undefined)
    return Buffer.from(postData.text, postData.encoding === 'base64' ? 'base64' : 'utf8');
  return (bodySize ?? 0) > 0 ? undefined : Buffer.alloc(0);
}

function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
