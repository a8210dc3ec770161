import type { Message } from '../edge-verifier/client.js';

/** A body in chunks, taken apart. */
export interface Frames {
  /** The last one has no data. */
  readonly chunks: readonly Chunk[];
  /** Lines. */
  readonly trailers: readonly string[];
}

export interface Chunk {
  /** Size and signature. */
  readonly line: string;
  readonly data: Buffer;
}

/** The message with its body taken apart, changed and put together again. */
export function withFrames(message: Message, change: (frames: Frames) => Frames): Message {
  return { ...message, body: joined(change(framesOf(message.body))) };
}

export function framesOf(body: Buffer): Frames {
  const chunks: Chunk[] = [];
  let at = 0;
  const line = (): string => {
    const end = body.indexOf('\r\n', at);
    const text = body.subarray(at, end).toString('latin1');
    at = end + 2;
    return text;
  };
  for (;;) {
    const header = line();
    const size = Number.parseInt(header, 16);
    chunks.push({ line: header, data: body.subarray(at, at + size) });
    if (size === 0) break;
    at += size + 2;
  }
  const trailers: string[] = [];
  for (let trailer = line(); trailer !== ''; trailer = line()) trailers.push(trailer);
  return { chunks, trailers };
}

function joined({ chunks, trailers }: Frames): Buffer {
  const parts = chunks.map(({ line, data }) =>
    Buffer.concat([Buffer.from(`${line}\r\n`, 'latin1'), data, Buffer.from(data.length === 0 ? '' : '\r\n')]),
  );
  const ends = [...trailers, ''].map((line) => `${line}\r\n`).join('');
  return Buffer.concat([...parts, Buffer.from(ends, 'latin1')]);
}
