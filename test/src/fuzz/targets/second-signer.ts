import { createHash } from 'node:crypto';
import { isS3Service, type Examined, type RequestHead, type VerificationPolicy } from '@sigv4-keyd/sigv4-core';
import { hold } from '../engine/target.js';
import { SECRET } from '../../sigv4-core/policy.js';
import { decoded, independentSignature, independentStringToSign, type Presented } from './independent-signer.js';

export const NOW = Date.UTC(2026, 10, 22, 12);
export const BODY_SHA256 = createHash('sha256').update('the body').digest('hex');

/** The request as the second signer signs it, with HMAC and over the same parts. */
export function signedAnew(head: RequestHead, examined: Examined, policy: VerificationPolicy): RequestHead {
  const presented = presentedIn(head, examined, policy);
  const signature = independentSignature(SECRET, presented.scope, independentStringToSign(head, presented));
  return withSignature(head, examined, signature);
}

/** What a signer has to know of the request. */
export function presentedIn(
  head: RequestHead,
  { algorithm, mechanism, signedHeaders, scope, amzDate, payload }: Examined,
  { pathRule, service }: VerificationPolicy,
): Presented {
  const isEcdsa = algorithm === 'AWS4-ECDSA-P256-SHA256';
  const parts = [scope.date, ...(isEcdsa ? [] : ['us-east-1']), service, 'aws4_request'];
  const at = head.rawHeaders.findIndex((text, index) => index % 2 === 0 && /^x-amz-content-sha256$/i.test(text));
  const parameter = /[?&]x-amz-content-sha256=([^&]*)/i.exec(head.target)?.[1];
  const inQuery =
    mechanism === 'presigned' && parameter !== undefined ? decoded(parameter).toString('latin1') : undefined;
  const stated = at < 0 ? inQuery : head.rawHeaders[at + 1]?.trim();
  const unstated = mechanism === 'presigned' && isS3Service(service) ? 'UNSIGNED-PAYLOAD' : BODY_SHA256;
  hold(payload.kind !== 'exact' || payload.sha256 === stated, 'the hash that the request states');
  return {
    ...{ algorithm, mechanism, signedHeaders, amzDate, pathRule },
    scope: parts.join('/'),
    payloadHash: stated ?? unstated,
  };
}

/** The same request with another signature, which covers all but itself. */
export function withSignature(head: RequestHead, { mechanism, signature }: Examined, other: string): RequestHead {
  if (mechanism === 'header') {
    const at = head.rawHeaders.findIndex((text, index) => index % 2 === 0 && /^authorization$/i.test(text));
    const rawHeaders = head.rawHeaders.map((text, index) =>
      index === at + 1 ? text.replace(new RegExp(`(Signature\\s*=\\s*)${signature}`), `$1${other}`) : text,
    );
    return { ...head, rawHeaders };
  }
  const [path = '', ...query] = head.target.split('?');
  const parts = query
    .join('?')
    .split('&')
    .map((part) => {
      const [name = ''] = part.split('=');
      return decoded(name).toString('latin1').toLowerCase() === 'x-amz-signature' ? `${name}=${other}` : part;
    });
  return { ...head, target: `${path}?${parts.join('&')}` };
}
