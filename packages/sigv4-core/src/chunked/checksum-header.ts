import { refuse } from '../refusal.js';
import type { Refused } from '../refusal.js';

/** The headers and trailers that carry a checksum of the decoded body, with the bytes that each has. */
export const CHECKSUM_BYTES = {
  'x-amz-checksum-crc32': 4,
  'x-amz-checksum-crc32c': 4,
  'x-amz-checksum-crc64nvme': 8,
  'x-amz-checksum-sha1': 20,
  'x-amz-checksum-sha256': 32,
} as const;

/** Lower-case name of a header or trailer that carries a checksum. */
export type ChecksumHeader = keyof typeof CHECKSUM_BYTES;

export function isChecksumHeader(name: string): name is ChecksumHeader {
  return Object.hasOwn(CHECKSUM_BYTES, name);
}

/** Reads a checksum: base64 of the right number of bytes, in its one canonical spelling. */
export function parseChecksum(name: ChecksumHeader, value: string): Buffer | Refused {
  const bytes = Buffer.from(value, 'base64');
  // Decoding skips what is no base64; encoding again tells.
  const isCanonical = bytes.length === CHECKSUM_BYTES[name] && bytes.toString('base64') === value;
  return isCanonical ? bytes : refuse('malformed-checksum', name);
}
