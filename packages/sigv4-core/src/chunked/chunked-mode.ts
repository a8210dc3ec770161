/** The payload modes whose body comes in chunks with a framing of their own (`aws-chunked`). */
export const CHUNKED_MODES = {
  'streaming-signed': { signsChunks: true, hasTrailers: false },
  'streaming-signed-trailer': { signsChunks: true, hasTrailers: true },
  'streaming-unsigned-trailer': { signsChunks: false, hasTrailers: true },
} as const satisfies Readonly<Record<string, ChunkedRules>>;

export type ChunkedMode = keyof typeof CHUNKED_MODES;

/** How the chunks of a mode are framed. */
export interface ChunkedRules {
  /** Each chunk, the empty last one too, carries a signature; so do the trailers. */
  readonly signsChunks: boolean;
  readonly hasTrailers: boolean;
}

export function isChunkedMode(kind: string): kind is ChunkedMode {
  return Object.hasOwn(CHUNKED_MODES, kind);
}
