import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Body } from '@sigv4-keyd/sigv4-client';
import type { Surroundings } from '../command-line/surroundings.js';
import { fail } from './curl-failure.js';
import type { CurlOptions } from './curl-options.js';

/** What is sent, and what curl concludes from it. */
export interface CurlBody {
  readonly method: string;
  readonly body: Body | null;
  readonly contentType?: string;
}

/** The body of the command line, a file as something that is read while it is sent. */
export async function curlBody(options: CurlOptions, { input }: Surroundings): Promise<CurlBody> {
  const { data, dataBinary, uploadFile, head, request } = options;
  const hasData = data.length + dataBinary.length > 0;
  if (hasData && uploadFile !== undefined) throw fail('usage', '-d and -T exclude each other');
  if (uploadFile !== undefined) {
    const body = uploadFile === '-' ? input : await openAsBlob(uploadFile);
    return { method: request ?? 'PUT', body };
  }
  if (!hasData) return { method: request ?? (head ? 'HEAD' : 'GET'), body: null };
  const parts = await Promise.all([...data.map(withoutLineEnds), ...dataBinary.map(asItIs)]);
  const body = Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [part] : [Buffer.from('&'), part])));
  return { method: request ?? 'POST', body, contentType: 'application/x-www-form-urlencoded' };
}

/** `-T file http://host/folder/` uploads to /folder/file, as curl does. */
export function targetOf(url: URL, { uploadFile }: CurlOptions): URL {
  if (uploadFile === undefined || uploadFile === '-' || !url.pathname.endsWith('/')) return url;
  const named = new URL(url);
  named.pathname += encodeURIComponent(basename(uploadFile));
  return named;
}

async function asItIs(data: string): Promise<Buffer> {
  return data.startsWith('@') ? readFile(data.slice(1)) : Buffer.from(data, 'utf8');
}

async function withoutLineEnds(data: string): Promise<Buffer> {
  if (!data.startsWith('@')) return Buffer.from(data, 'utf8');
  const bytes = await readFile(data.slice(1));
  return Buffer.from(bytes.filter((byte) => byte !== 0x0a && byte !== 0x0d && byte !== 0));
}
