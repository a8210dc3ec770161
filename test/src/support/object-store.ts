import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it reached the store. */
export interface StoreRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

/**
 * An object store in memory, as much of S3 as clients need to upload and download. It knows no framing of chunks: what
 * it gets is what it stores.
 */
export class ObjectStore {
  /** By decoded path, `/BUCKET/KEY`. */
  readonly objects = new Map<string, Buffer>();
  readonly requests: StoreRequest[] = [];
  readonly #uploads = new Map<string, Map<number, Buffer>>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<ObjectStore> {
    const store = new ObjectStore();
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    return store;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    this.requests.push({ method, target: url, headers });
    const { pathname, searchParams: query } = new URL(url, 'http://store');
    const path = decodeURIComponent(pathname);
    const upload = query.get('uploadId') ?? '';
    if (method === 'PUT') {
      const pieces = this.#uploads.get(upload);
      if (pieces) pieces.set(Number(query.get('partNumber')), body);
      else this.objects.set(path, body);
      response.writeHead(200, { etag: etagOf(body) }).end();
    } else if (method === 'POST' && query.has('uploads')) {
      const id = randomUUID();
      this.#uploads.set(id, new Map());
      answerXml(response, `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
    } else if (method === 'POST') {
      const pieces = [...(this.#uploads.get(upload) ?? [])].sort(([a], [b]) => a - b);
      const whole = Buffer.concat(pieces.map(([, piece]) => piece));
      this.objects.set(path, whole);
      const etag = `<ETag>${etagOf(whole)}</ETag>`;
      answerXml(response, `<CompleteMultipartUploadResult>${etag}</CompleteMultipartUploadResult>`);
    } else {
      this.#read(request, response, path);
    }
  }

  #read({ method, headers }: IncomingMessage, response: ServerResponse, path: string): void {
    const object = this.objects.get(path);
    if (path.split('/').length < 3) {
      answerXml(response, '<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>');
      return;
    }
    if (!object) {
      response.writeHead(404, { 'content-length': '0' }).end();
      return;
    }
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = Math.min(range?.[2] ? Number(range[2]) + 1 : object.length, object.length);
    response.writeHead(range ? 206 : 200, {
      etag: etagOf(object),
      'content-length': String(to - from),
      'last-modified': new Date().toUTCString(),
      ...(range && { 'content-range': `bytes ${from}-${to - 1}/${object.length}` }),
    });
    response.end(method === 'HEAD' ? undefined : object.subarray(from, to));
  }
}

function answerXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`);
}

function etagOf(body: Buffer): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
