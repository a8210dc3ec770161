/** A header in JSON, and bytes beside it: what the two ends of a pipe say to each other. */
export interface Frame {
  readonly header: unknown;
  /** The receiver's own copy, which it wipes where it is a key. */
  readonly body: Buffer;
}

/** Before each frame: the lengths of its header and its body, 32 bits each. */
const LENGTHS_BYTES = 8;
/** No frame is longer: whoever says so has lost its place. Bytes. */
const LONGEST = 65_536;
const NO_BYTES = Buffer.alloc(0);

/** The bytes of a frame. Whoever writes them wipes them when they are written. */
export function frameOf(header: object, body: Buffer = NO_BYTES): Buffer {
  const text = Buffer.from(JSON.stringify(header), 'utf8');
  const lengths = Buffer.alloc(LENGTHS_BYTES);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt32BE(body.length, 4);
  const frame = Buffer.concat([lengths, text, body]);
  text.fill(0);
  return frame;
}

/** Frames out of chunks, however these were cut. */
export class FrameReader {
  #rest: Buffer = NO_BYTES;

  /** The frames that are whole now. Overwrites the chunk. Throws SyntaxError for what is no frame. */
  read(chunk: Buffer): readonly Frame[] {
    const bytes = Buffer.concat([this.#rest, chunk]);
    this.#rest.fill(0);
    chunk.fill(0);
    const frames: Frame[] = [];
    let at = 0;
    for (let end = endOfFrame(bytes, at); end !== undefined; end = endOfFrame(bytes, at)) {
      const headerEnd = at + LENGTHS_BYTES + bytes.readUInt32BE(at);
      const header: unknown = JSON.parse(bytes.toString('utf8', at + LENGTHS_BYTES, headerEnd));
      frames.push({ header, body: Buffer.from(bytes.subarray(headerEnd, end)) });
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
    bytes.fill(0);
    return frames;
  }
}

/** Undefined while the frame that begins at `at` is not whole. */
function endOfFrame(bytes: Buffer, at: number): number | undefined {
  if (bytes.length < at + LENGTHS_BYTES) return undefined;
  const length = bytes.readUInt32BE(at) + bytes.readUInt32BE(at + 4);
  if (length > LONGEST) throw new SyntaxError(`a frame of ${length} bytes is none of ours`);
  const end = at + LENGTHS_BYTES + length;
  return end <= bytes.length ? end : undefined;
}
