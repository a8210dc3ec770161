import type { Description } from '@sigv4-keyd/sigv4-core';

// Whoever has one of these can act with it; a canonical request holds the values of the headers that are signed.
const SECRET_HEADERS =
  /^(authorization|cookie|proxy-authorization|x-amz-security-token|x-amz-[a-z0-9-]*customer-key):.*$/gm;
const SECRET_PARAMETERS = /(^|&)(x-amz-security-token|x-amz-signature)=[^&\n]*/gim;

/** The stages of a signature under S3's names of them, fit to be shown to the sender: tokens and keys are left out. */
export function shownDescription({ canonicalRequest, stringToSign }: Description): Readonly<Record<string, string>> {
  const shown = canonicalRequest
    .replace(SECRET_HEADERS, '$1:[not shown]')
    .replace(SECRET_PARAMETERS, '$1$2=[not shown]');
  return { CanonicalRequest: asText(shown), StringToSign: asText(stringToSign) };
}

/** Latin1 stands for bytes; what is no UTF-8 is shown as what it was. */
function asText(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
