import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Crc32c } from '@aws-crypto/crc32c';
import { Crc64Nvme } from '@aws-sdk/crc64-nvme';
import type { ChecksumHeader } from '@sigv4-keyd/sigv4-core';

/** A checksum of data that comes in parts. */
export interface RunningChecksum {
  update(data: Uint8Array): void;
  /** The bytes that travel in base64; to be asked once, at the end. */
  digest(): Promise<Buffer>;
}

/** How the checksum of each header or trailer is made. */
export const CHECKSUMS: Readonly<Record<ChecksumHeader, () => RunningChecksum>> = {
  'x-amz-checksum-crc32': () => {
    let value = 0;
    return {
      update: (data) => void (value = crc32(data, value)),
      digest: () => Promise.resolve(bigEndian(value)),
    };
  },
  'x-amz-checksum-crc32c': () => {
    const crc = new Crc32c();
    return {
      update: (data) => void crc.update(data),
      digest: () => Promise.resolve(bigEndian(crc.digest())),
    };
  },
  'x-amz-checksum-crc64nvme': () => {
    const crc = new Crc64Nvme();
    return {
      update: (data) => crc.update(data),
      digest: async () => Buffer.from(await crc.digest()),
    };
  },
  'x-amz-checksum-sha1': () => hash('sha1'),
  'x-amz-checksum-sha256': () => hash('sha256'),
};

function hash(algorithm: 'sha1' | 'sha256'): RunningChecksum {
  const running = createHash(algorithm);
  return {
    update: (data) => void running.update(data),
    digest: () => Promise.resolve(running.digest()),
  };
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
