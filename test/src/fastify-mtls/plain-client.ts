import { readFileSync } from 'node:fs';
import { request, type Agent, type RequestOptions } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';

/** What came of a request: an answer, or the code of the error that ended the connection. */
export type Outcome =
  | { readonly status: number; readonly body: Record<string, unknown>; readonly served: string }
  | { readonly failed: string };

export interface Ask extends RequestOptions {
  readonly port: number;
  readonly path?: string;
  readonly agent?: Agent | false;
}

/** A client that is Node's own: what a server refuses is then not refused by our client first. */
export function ask(files: TlsFiles | undefined, ca: string, options: Ask): Promise<Outcome> {
  const own = files === undefined ? {} : { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  return new Promise((resolve) => {
    const tls = { ...own, ca: readFileSync(ca), checkServerIdentity: () => undefined };
    const outgoing = request({ host: '127.0.0.1', agent: false, ...tls, ...options }, (answer) => {
      const { socket } = answer;
      const served = socket instanceof TLSSocket ? socket.getPeerCertificate().serialNumber : 'none';
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode!, body: JSON.parse(text) as Record<string, unknown>, served });
      });
      answer.on('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? error.message }));
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve({ failed: error.code ?? error.message }));
    outgoing.end();
  });
}
