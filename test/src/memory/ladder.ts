import { createHmac } from 'node:crypto';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { hmac } from '../master-keyd/master-under-test.js';
import type { SoughtKey } from '../support/key-search.js';

/** An access key of a test, and the days that keys of it may exist for. */
export interface Climbed {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly dates: readonly ScopeDate[];
}

/** The secret and all that signs with it for any day. By node:crypto alone, as everything here. */
export function secretsOf({ accessKeyId, secretAccessKey }: Climbed): readonly SoughtKey[] {
  return [
    // kSecret has it within: "AWS4" and the secret.
    { name: `the secret of ${accessKeyId}`, bytes: Buffer.from(secretAccessKey) },
    { name: `the private scalar of ${accessKeyId}`, bytes: privateScalar(accessKeyId, secretAccessKey) },
  ];
}

export function kDatesOf({ accessKeyId, secretAccessKey, dates }: Climbed): readonly SoughtKey[] {
  return dates.map((date) => ({ name: `kDate ${accessKeyId}/${date}`, bytes: hmac(`AWS4${secretAccessKey}`, date) }));
}

export function kRegionsOf(climbed: Climbed, region: string): readonly SoughtKey[] {
  return next(kDatesOf(climbed), `kRegion ${region} of`, region);
}

export function kServicesOf(climbed: Climbed, region: string, service: string): readonly SoughtKey[] {
  return next(kRegionsOf(climbed, region), `kService ${service} of`, service);
}

export function kSigningsOf(climbed: Climbed, region: string, service: string): readonly SoughtKey[] {
  return next(kServicesOf(climbed, region, service), 'kSigning of', 'aws4_request');
}

function next(rung: readonly SoughtKey[], what: string, message: string): readonly SoughtKey[] {
  return rung.map(({ name, bytes }) => ({ name: `${what} ${name}`, bytes: hmac(bytes, message) }));
}

/** Of AWS4-ECDSA-P256-SHA256. One candidate in 2^32 is too large, and another would be taken in its place. */
function privateScalar(accessKeyId: string, secretAccessKey: string): Buffer {
  const context = Buffer.concat([Buffer.from(accessKeyId), Buffer.of(1)]);
  const label = Buffer.from('AWS4-ECDSA-P256-SHA256');
  const input = Buffer.concat([Buffer.of(0, 0, 0, 1), label, Buffer.of(0), context, Buffer.of(0, 0, 1, 0)]);
  const candidate = createHmac('sha256', `AWS4A${secretAccessKey}`).update(input).digest('hex');
  return Buffer.from((BigInt(`0x${candidate}`) + 1n).toString(16).padStart(64, '0'), 'hex');
}
