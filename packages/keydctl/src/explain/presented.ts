import type { Mechanism } from '@sigv4-keyd/sigv4-core';
import type { CapturedRequest } from './capture/captured-request.js';
import { captureError } from './capture/capture-error.js';
import { headerOf } from './capture/head-lines.js';

/** What a request says of its signature, read with patience: what verifiers refuse is to be explained here. */
export interface Presented {
  readonly mechanism: Mechanism;
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** DATE/REGION/SERVICE/TERMINATOR, as it stands there. */
  readonly scope: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly amzDate: string;
}

/** Throws CommandError for a request without a signature of this kind, or with one whose parts cannot be told apart. */
export function readPresented(request: CapturedRequest): Presented {
  const header = headerOf(request.rawHeaders, 'authorization');
  const parameters = parametersOf(request.target);
  const presigned = parameters.has('x-amz-signature');
  if (header === undefined && !presigned) {
    throw captureError('the request is not signed', 'Record one with an Authorization header or X-Amz-Signature');
  }
  const parts = header === undefined ? parameters : partsOf(header);
  const part = (name: string): string => {
    const value = parts.get(header === undefined ? `x-amz-${name}` : name);
    if (value !== undefined && value !== '') return value;
    throw captureError(`the signature has no ${name}`, 'Signature Version 4 has Credential, SignedHeaders, Signature');
  };
  const [accessKeyId = '', date, region, service, ...terminator] = part('credential').split('/');
  if (date === undefined || region === undefined || service === undefined) {
    throw captureError(
      'the credential has not five parts',
      'It reads ACCESS-KEY-ID/YYYYMMDD/REGION/SERVICE/aws4_request',
    );
  }
  const headerDate = headerOf(request.rawHeaders, 'x-amz-date');
  return {
    mechanism: header === undefined ? 'presigned' : 'header',
    accessKeyId,
    ...{ date, region, service },
    scope: [date, region, service, ...terminator].join('/'),
    signedHeaders: part('signedheaders').split(';'),
    signature: part('signature'),
    amzDate: (header === undefined ? parameters.get('x-amz-date') : headerDate) ?? headerDate ?? '',
  };
}

function partsOf(header: string): ReadonlyMap<string, string> {
  if (!/^AWS4-HMAC-SHA256\s/.test(header)) {
    throw captureError('the Authorization header is not of AWS4-HMAC-SHA256', 'Only that algorithm is explained here');
  }
  const parts = new Map<string, string>();
  for (const text of header.slice(header.search(/\s/)).split(/[\s,]+/)) {
    const equals = text.indexOf('=');
    if (equals > 0) parts.set(text.slice(0, equals).toLowerCase(), text.slice(equals + 1));
  }
  return parts;
}

/** Of the query, decoded, by names in lower case. */
export function parametersOf(target: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const mark = target.indexOf('?');
  for (const text of mark < 0 ? [] : target.slice(mark + 1).split('&')) {
    const equals = text.indexOf('=');
    if (equals > 0) parameters.set(text.slice(0, equals).toLowerCase(), decoded(text.slice(equals + 1)));
  }
  return parameters;
}

function decoded(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => String.fromCharCode(Number.parseInt(triplet.slice(1), 16)));
}
