import { ChecksumCheck, type Checksums } from './checksum-check.js';
import { PayloadRefused } from './payload-refused.js';

/**
 * The bytes of a body whose headers state checksums. The last part goes on only when they were compared; throws
 * PayloadRefused when one is wrong.
 */
export async function* checkedParts(
  parts: AsyncIterable<Buffer>,
  declared: Checksums,
): AsyncGenerator<Buffer, void, undefined> {
  const check = new ChecksumCheck(declared.keys());
  let last: Buffer | undefined;
  for await (const part of parts) {
    if (last !== undefined) yield last;
    check.update(part);
    last = part;
  }
  const mismatch = await check.compare([declared]);
  if (mismatch !== undefined) throw new PayloadRefused(mismatch);
  if (last !== undefined) yield last;
}
