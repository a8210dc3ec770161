import { FilledBytes } from './filled-bytes.js';

/**
 * A day's stream is a sequence of frames: a byte that says what it is, four bytes of length, and so many bytes. A head
 * comes first, then pages of keys, then an end: a stream without one was cut. Sealed pages take the place of pages for
 * who can open them; an answer about single access keys has also frames of those that have no key.
 */
export const FRAMES = { head: 1, page: 2, end: 3, sealed: 4, absent: 5 } as const;
export type FrameKind = keyof typeof FRAMES;

export interface Frame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

/** The longest payload that is read of each kind, bytes. */
export const MOST_FRAME_BYTES = {
  head: 1_024,
  page: 1_048_576,
  end: 6,
  // Entries and keys of a page each, and what seals them.
  sealed: 2 * 1_048_576 + 64,
  absent: 1_048_576,
} as const satisfies Record<FrameKind, number>;

const KINDS = ['head', 'page', 'end', 'sealed', 'absent'] as const satisfies readonly FrameKind[];
const PREFIX_BYTES = 5;

/** A stream that is not what was asked for, however often it comes. */
export class WrongStream extends Error {
  override readonly name = 'WrongStream';
}

export function encodeFrame(kind: FrameKind, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafeSlow(PREFIX_BYTES + payload.length);
  frame.writeUInt8(FRAMES[kind], 0);
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, PREFIX_BYTES);
  return frame;
}

/**
 * The frames of a stream, a whole one at a time; one that is longer than its kind may be is refused before it is held.
 * A payload is overwritten once the next frame is asked for: it carries keys. Throws WrongStream, or an Error for a
 * stream that ends within a frame.
 */
export async function* readFrames(body: AsyncIterable<Buffer>): AsyncGenerator<Frame, void, undefined> {
  const bytes = new FilledBytes(body);
  try {
    const prefix = Buffer.alloc(PREFIX_BYTES);
    for (;;) {
      const begun = await bytes.fill(prefix);
      if (begun === 0) return;
      if (begun < prefix.length) throw new Error('the stream ends within a frame');
      const frame = announced(prefix);
      if ((await bytes.fill(frame.payload)) < frame.payload.length) throw new Error('the stream ends within a frame');
      try {
        yield frame;
      } finally {
        frame.payload.fill(0);
      }
    }
  } finally {
    await bytes.close();
  }
}

function announced(prefix: Buffer): Frame {
  const byte = prefix.readUInt8(0);
  const length = prefix.readUInt32BE(1);
  const kind = KINDS.find((name) => FRAMES[name] === byte);
  if (kind === undefined) throw new WrongStream(`a frame of the unknown kind ${byte}`);
  if (length > MOST_FRAME_BYTES[kind]) throw new WrongStream(`a frame (${kind}) of ${length} bytes`);
  return { kind, payload: Buffer.alloc(length) };
}
