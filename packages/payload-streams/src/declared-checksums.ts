import { CHECKSUM_BYTES, isChecksumHeader, isRefused, parseChecksum } from '@sigv4-keyd/sigv4-core';
import type { ChecksumHeader, Examined, Refused } from '@sigv4-keyd/sigv4-core';
import type { Checksums } from './checksum-check.js';

/**
 * The checksums of its body that a request states in its headers. S3 alone gives these headers that meaning; and there,
 * the request that completes a multipart upload states the checksum of the object, not of its own body.
 */
export function declaredChecksums({ request }: Examined): Checksums | Refused {
  const declared = new Map<ChecksumHeader, Buffer>();
  const { method, pathRule, parameters, headers } = request;
  const completesUpload = method === 'POST' && parameters.some(({ name }) => name === 'uploadId');
  if (pathRule !== 's3' || completesUpload || (method !== 'PUT' && method !== 'POST')) return declared;
  for (const name of Object.keys(CHECKSUM_BYTES).filter(isChecksumHeader)) {
    const value = headers.get(name);
    if (value === undefined) continue;
    const checksum = parseChecksum(name, value);
    if (isRefused(checksum)) return checksum;
    declared.set(name, checksum);
  }
  return declared;
}
