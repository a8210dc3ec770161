import { createHash, createHmac } from 'node:crypto';

export const ACCESS_KEY_ID = 'AKIAEXPLAINEDREQUEST';
export const SECRET = 'a+secret/that=keydctl/never/shows';
export const AMZ_DATE = '20261122T100000Z';

/** What a client signs, each part of which it may get wrong. Written by hand, independent of sigv4-core. */
export interface Parts {
  method: string;
  uri: string;
  query: string;
  headers: readonly (readonly [string, string])[];
  payload: string;
  amzDate: string;
  scope: string;
  /** What the key is derived of. */
  key: { secret: string; date: string; region: string; service: string };
}

export interface Sent {
  readonly method: string;
  readonly target: string;
  /** As they are sent, beside those that signing adds. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

export const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex');

/** A PUT to S3 and what is rightly signed of it. */
export function rightParts(sent: Sent, service = 's3'): Parts {
  const [path = '', query = ''] = sent.target.split('?');
  return {
    method: sent.method,
    uri: path,
    query,
    headers: [...sent.headers, ['x-amz-content-sha256', sha256(sent.body)], ['x-amz-date', AMZ_DATE]],
    payload: sha256(sent.body),
    amzDate: AMZ_DATE,
    scope: `20261122/eu-west-1/${service}/aws4_request`,
    key: { secret: SECRET, date: '20261122', region: 'eu-west-1', service },
  };
}

/** The raw request, signed by these parts. */
export function rawRequest(sent: Sent, parts: Parts, more: readonly string[] = []): string {
  const sorted = [...parts.headers].sort(([a], [b]) => (a < b ? -1 : 1));
  const signed = [...new Set(sorted.map(([name]) => name.toLowerCase()))].join(';');
  const canonical = [
    parts.method,
    parts.uri,
    parts.query,
    ...sorted.map(([name, value]) => `${name.toLowerCase()}:${value}`),
    '',
    signed,
    parts.payload,
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', parts.amzDate, parts.scope, sha256(canonical)].join('\n');
  const { secret, date, region, service } = parts.key;
  let key: Buffer | string = `AWS4${secret}`;
  for (const step of [date, region, service, 'aws4_request', text])
    key = createHmac('sha256', key).update(step, 'latin1').digest();
  const authorization = `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/${parts.scope}, SignedHeaders=${signed}, Signature=${key.toString('hex')}`;
  return [
    `${sent.method} ${sent.target} HTTP/1.1`,
    ...sent.headers.map(([name, value]) => `${name}: ${value}`),
    `x-amz-date: ${AMZ_DATE}`,
    `x-amz-content-sha256: ${sha256(sent.body)}`,
    `authorization: ${authorization}`,
    ...more,
    '',
    sent.body,
  ].join('\r\n');
}
