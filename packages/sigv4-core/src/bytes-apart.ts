/**
 * Zeros outside of V8's heap, for a key that is overwritten later. V8 makes an array of up to 64 bytes within its heap,
 * and copies it out when native code or a view asks for its buffer: what stays behind nobody can overwrite.
 */
export function bytesApart(length: number): Buffer {
  return Buffer.from(new ArrayBuffer(length));
}
