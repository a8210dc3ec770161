/** The buffer takes nothing more, of this owner or at all, until some of it was handed on. */
export class BufferFull extends Error {
  override readonly name = 'BufferFull';
}
