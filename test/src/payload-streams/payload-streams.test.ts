import { Readable } from 'node:stream';
import {
  checkedParts,
  CHECKSUMS,
  ChecksumCheck,
  PayloadRefused,
  signedChunks,
  verifiedChunks,
} from '@sigv4-keyd/payload-streams';
import { isChecksumHeader } from '@sigv4-keyd/sigv4-core';
import fc from 'fast-check';
import t from 'tap';
import { decoderFor, SHA256, signHead, type ChunkedDraft } from '../sigv4-core/chunked-bodies.js';

/** Of the nine digits that the catalogues of checksums use, "123456789". */
const OF_NINE_DIGITS = {
  'x-amz-checksum-crc32': 'cbf43926',
  'x-amz-checksum-crc32c': 'e3069283',
  'x-amz-checksum-crc64nvme': 'ae8b14860a799888',
  'x-amz-checksum-sha1': 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  'x-amz-checksum-sha256': '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
} as const;

const anyParts = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });

t.test('checksums: the published values, whatever the parts', async (t) => {
  for (const name of Object.keys(OF_NINE_DIGITS).filter(isChecksumHeader)) {
    for (const parts of [['123456789'], ['', '1', '23456', '789'], Array.from('123456789')]) {
      const checksum = CHECKSUMS[name]();
      for (const part of parts) checksum.update(Buffer.from(part));
      t.equal((await checksum.digest()).toString('hex'), OF_NINE_DIGITS[name], `${name} of ${parts.join('|')}`);
    }
  }
});

t.test('a checksum that nobody took is a mismatch, not a pass', async (t) => {
  const sent = new Map([[SHA256, Buffer.alloc(32)]] as const);
  t.match(await new ChecksumCheck([]).compare([sent]), { reason: 'checksum-mismatch', detail: SHA256 });
  t.equal(await new ChecksumCheck([SHA256]).compare([]), undefined, 'none was sent');
});

t.test('what is written in chunks is read back, whatever the parts on either side', async (t) => {
  const property = fc.asyncProperty(anyParts, fc.integer({ min: 1, max: 150 }), fc.nat(), async (parts, size, cut) => {
    const data = Buffer.concat(parts);
    const draft: ChunkedDraft = { kind: 'streaming-signed-trailer', chunks: [data] };
    const { head, encoder } = signHead(draft);
    const written: Buffer[] = [];
    for await (const piece of signedChunks(parted(parts), encoder, { chunkBytes: size, trailers: [SHA256] })) {
      written.push(piece);
    }
    const wire = Buffer.concat(written);
    const at = cut % wire.length;
    const arriving = parted([wire.subarray(0, at), wire.subarray(at)]);
    const [decoded, received] = [await read(arriving, 'decoded'), await read(parted([wire]), 'as-received')];
    if (!decoded.equals(data)) throw new Error('other data');
    if (!received.equals(wire)) throw new Error('other framing');

    async function read(source: AsyncIterable<Buffer>, form: 'decoded' | 'as-received'): Promise<Buffer> {
      const reading = { trailers: [SHA256], declared: new Map(), form, beforeEnd: () => undefined } as const;
      return Buffer.concat(await Readable.from(verifiedChunks(source, decoderFor(head), reading)).toArray());
    }
  });
  await t.resolves(fc.assert(property, { numRuns: 100 }));
});

t.test('what stops the end stops the last byte', async (t) => {
  const { head, encoder } = signHead({ kind: 'streaming-unsigned-trailer', chunks: [Buffer.from('abc')] });
  const wire = signedChunks(parted([Buffer.from('abc')]), encoder, { chunkBytes: 10, trailers: [SHA256] });
  const beforeEnd = (): never => {
    throw new Error('revoked');
  };
  const got: Buffer[] = [];
  const reading = { trailers: [SHA256], declared: new Map(), form: 'decoded', beforeEnd } as const;
  await t.rejects(
    async () => {
      for await (const piece of verifiedChunks(wire, decoderFor(head), reading)) got.push(piece);
    },
    { message: 'revoked' },
  );
  t.equal(Buffer.concat(got).toString(), 'ab');
});

t.test('a body with a wrong checksum in its headers: the last part is kept', async (t) => {
  const declared = new Map([['x-amz-checksum-crc32', Buffer.from('00000000', 'hex')]] as const);
  const got: Buffer[] = [];
  await t.rejects(
    async () => {
      const parts = parted([Buffer.from('first'), Buffer.from('last')]);
      for await (const piece of checkedParts(parts, declared)) got.push(piece);
    },
    new PayloadRefused({ verdict: 'refused', reason: 'checksum-mismatch', detail: 'x-amz-checksum-crc32' }),
  );
  t.equal(Buffer.concat(got).toString(), 'first');
});

async function* parted(parts: readonly Uint8Array[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Promise.resolve(Buffer.from(part));
}
