import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { PayloadSpool } from './payload-spool.js';

export interface HoldingPlace {
  /** Bodies up to this size stay in memory, bytes. */
  readonly inMemory: number;
  readonly spoolFolder: string;
}

/** A body that has arrived whole and was hashed, of which nobody has seen a byte yet. */
export interface HeldPayload {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly length: number;
  readonly read: () => Buffer | Readable;
  /** Frees memory and file; to be called whatever happened. */
  readonly dispose: () => Promise<void>;
}

/** Holds a body back until its end, in memory or in a spool file. Frees what it took when the body does not arrive. */
export async function holdPayload(parts: AsyncIterable<Buffer>, place: HoldingPlace): Promise<HeldPayload> {
  const hash = createHash('sha256');
  let inMemory: Buffer[] = [];
  let spool: PayloadSpool | undefined;
  let length = 0;
  try {
    for await (const part of parts) {
      hash.update(part);
      length += part.length;
      inMemory.push(part);
      if (length <= place.inMemory) continue;
      spool ??= await PayloadSpool.open(place.spoolFolder);
      await spool.append(Buffer.concat(inMemory));
      inMemory = [];
    }
  } catch (error) {
    await spool?.close();
    throw error;
  }
  const bytes = Buffer.concat(inMemory);
  const file = spool;
  return {
    sha256: hash.digest('hex'),
    length,
    read: () => file?.read() ?? bytes,
    dispose: async () => file?.close(),
  };
}
