import type { ReadableStream } from 'node:stream/web';

/** What can be sent as a body. Streams are Node's and the web's; their parts are bytes or text. */
export type Body =
  | string
  | ArrayBufferView
  | ArrayBuffer
  | URLSearchParams
  | Blob
  | Form
  | ReadableStream
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

/** A FormData, the global one or undici's. */
export interface Form {
  readonly [Symbol.toStringTag]: string;
  [Symbol.iterator](): Iterator<[string, string | Blob]>;
}

/** A body in one of the forms that every way of sending takes, with the type that it has by its nature. */
export type ReadBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly contentType?: string }
  | { readonly kind: 'blob'; readonly blob: Blob; readonly contentType?: string }
  | { readonly kind: 'stream'; readonly stream: AsyncIterable<unknown> | Iterable<unknown> };

/** Sorts a body. A form is written out in memory, since its hash has to be known before it is sent. */
export async function readBody(body: Body | null | undefined): Promise<ReadBody> {
  if (body === undefined || body === null) return { kind: 'none' };
  if (typeof body === 'string') return { kind: 'bytes', bytes: Buffer.from(body, 'utf8') };
  if (ArrayBuffer.isView(body)) {
    return { kind: 'bytes', bytes: new Uint8Array(body.buffer, body.byteOffset, body.byteLength) };
  }
  if (body instanceof ArrayBuffer) return { kind: 'bytes', bytes: new Uint8Array(body) };
  if (body instanceof URLSearchParams) {
    const contentType = 'application/x-www-form-urlencoded;charset=UTF-8';
    return { kind: 'bytes', bytes: Buffer.from(body.toString(), 'utf8'), contentType };
  }
  if (body instanceof Blob) {
    return body.type === '' ? { kind: 'blob', blob: body } : { kind: 'blob', blob: body, contentType: body.type };
  }
  if (isForm(body)) return writeForm(body);
  return { kind: 'stream', stream: body };
}

/** By its tag: undici's own FormData is another class than the global one. */
function isForm(body: object): body is Form {
  return Object.prototype.toString.call(body) === '[object FormData]';
}

async function writeForm(form: Form): Promise<ReadBody> {
  const own = new FormData();
  for (const [name, value] of form) {
    if (typeof value === 'string') own.append(name, value);
    else own.append(name, value);
  }
  const written = new Response(own);
  const bytes = new Uint8Array(await written.arrayBuffer());
  return { kind: 'bytes', bytes, contentType: written.headers.get('content-type') ?? '' };
}
