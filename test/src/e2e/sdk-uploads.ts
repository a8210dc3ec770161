#!/usr/bin/env node
import { ChecksumAlgorithm, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createReadStream, readFileSync } from 'node:fs';

/**
 * Uploads a file with every checksum, as a stream and as bytes: `ENDPOINT FILE`. A program of its own, since the SDK
 * makes agents of its own for large bodies, which take a certificate authority from the environment only.
 */
const [endpoint = '', file = ''] = process.argv.slice(2);
const s3 = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
const { CRC32, CRC32C, CRC64NVME, SHA1, SHA256 } = ChecksumAlgorithm;
const bytes = readFileSync(file);
/** Of large files two are enough: what differs by algorithm is tried with the small one. */
const algorithms =
  bytes.length > 1_000_000 ? [undefined, CRC64NVME] : [undefined, CRC32, CRC32C, CRC64NVME, SHA1, SHA256];
for (const algorithm of algorithms) {
  const name = algorithm ?? 'none';
  const checked = algorithm && { ChecksumAlgorithm: algorithm };
  await s3.send(
    new PutObjectCommand({ Bucket: 'bucket', Key: `stream-${name}`, Body: createReadStream(file), ...checked }),
  );
  await s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: `bytes-${name}`, Body: bytes, ...checked }));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'bucket', Key: `stream-${name}` }));
  if (!bytes.equals((await Body?.transformToByteArray()) ?? Buffer.alloc(0)))
    throw new Error(`${name}: other bytes came back`);
}
