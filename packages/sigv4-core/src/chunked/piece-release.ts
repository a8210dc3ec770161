/** Some bytes of a body in chunks: the data itself, or what frames it, a line of latin1 with its line end. */
export type PayloadPiece =
  { readonly kind: 'data'; readonly bytes: Buffer } | { readonly kind: 'framing'; readonly line: string };

/** The bytes of a piece, as they came. */
export function bytesOfPiece(piece: PayloadPiece): Buffer {
  return piece.kind === 'data' ? piece.bytes : Buffer.from(piece.line, 'latin1');
}

/** Lets go of verified pieces, but keeps the last byte of the data, and all that follows it, for the end. */
export class PieceRelease {
  /** Bytes of data that may go before the end. */
  #early: number;
  #hasLast: boolean;
  #pieces: PayloadPiece[] = [];
  #last: PayloadPiece[] = [];

  constructor(decodedLength: number) {
    this.#early = decodedLength - 1;
    this.#hasLast = decodedLength === 0;
  }

  add(piece: PayloadPiece): void {
    if (this.#hasLast) {
      this.#last.push(piece);
      return;
    }
    if (piece.kind === 'framing' || piece.bytes.length <= this.#early) {
      this.#pieces.push(piece);
      if (piece.kind === 'data') this.#early -= piece.bytes.length;
      return;
    }
    const early = piece.bytes.subarray(0, this.#early);
    if (early.length > 0) this.#pieces.push({ kind: 'data', bytes: early });
    this.#last.push({ kind: 'data', bytes: piece.bytes.subarray(this.#early) });
    this.#hasLast = true;
  }

  /** The pieces that were let go since the last call. */
  take(): readonly PayloadPiece[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** What was kept for the end. */
  takeLast(): readonly PayloadPiece[] {
    const last = this.#last;
    this.#last = [];
    return last;
  }
}
