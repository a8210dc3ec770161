import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4a } from '@aws-sdk/signature-v4a';
import { p256 } from '@noble/curves/nist.js';
import { HttpRequest } from '@smithy/protocol-http';
import type { ArbitraryRequest } from '../sigv4-core/arbitrary-request.js';
import { credentialsOf, smithyRequest, smithySigned } from '../sigv4-core/oracles.js';
import type { OracleSigned } from '../sigv4-core/oracles.js';

/** Another implementation of AWS4-ECDSA-P256-SHA256, the JavaScript SDK's; it signs in the header only. */
export async function signWithSdk(
  request: ArbitraryRequest,
  signing: { readonly service: string; readonly regionSet: string },
): Promise<OracleSigned> {
  const isS3 = signing.service === 's3';
  const signer = new SignatureV4a({
    credentials: credentialsOf(request),
    region: signing.regionSet,
    service: signing.service,
    sha256: Sha256,
    uriEscapePath: !isS3,
    applyChecksum: isS3,
  });
  const signed: unknown = await signer.sign(smithyRequest(request), { signingDate: new Date(request.now) });
  if (!HttpRequest.isInstance(signed)) throw new TypeError('the signer gave no request');
  return smithySigned(request, signed);
}

/** Verifies with a curve that is not OpenSSL's. `publicKey` is x, then y; `signature` is DER in hex. */
export function verifiesElsewhere(publicKey: Uint8Array, text: string, signature: string): boolean {
  const point = Buffer.concat([Buffer.of(4), publicKey]);
  return p256.verify(Buffer.from(signature, 'hex'), Buffer.from(text, 'utf8'), point, { format: 'der', lowS: false });
}

/** n, the order of the base point. */
export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The other signature that is as good: r, and n - s. */
export function mirrored(signature: string): string {
  const { r, s } = integersOf(signature);
  return derOf(r, ORDER - s);
}

export function integersOf(signature: string): { readonly r: bigint; readonly s: bigint } {
  const { r, s } = p256.Signature.fromBytes(Buffer.from(signature, 'hex'), 'der');
  return { r, s };
}

/** DER of two integers, whatever they are. */
export function derOf(r: bigint, s: bigint): string {
  const content = integer(r) + integer(s);
  return `30${byte(content.length / 2)}${content}`;
}

function integer(value: bigint): string {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const positive = Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even;
  return `02${byte(positive.length / 2)}${positive}`;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}
