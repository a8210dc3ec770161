import { join } from 'node:path';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { z } from 'zod';
import { usageError } from '../command-line/command-error.js';
import { option } from '../command-line/option.js';

/** Where a tier answers. */
export const httpsOrigin = z.string().transform((text, context): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isBare =
    url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (url?.protocol === 'https:' && isBare) return url;
  context.issues.push({ code: 'custom', input: text, message: 'must be https://HOST:PORT without a path' });
  return z.NEVER;
});

const file = z.string().min(1, 'must name a file');

/** How a command reaches master-keyd; every command that does spreads these. */
export const connectionOptions = {
  master: option(httpsOrigin, { value: 'url', about: 'address of master-keyd, https://HOST:PORT', env: 'KEYD_MASTER' }),
  credentials: option(file.optional(), {
    value: 'folder',
    about: "folder with the operator's tls.crt, tls.key and ca.crt",
    env: 'KEYD_CREDENTIALS',
  }),
  cert: option(file.optional(), { value: 'file', about: 'certificate, instead of the one in --credentials' }),
  key: option(file.optional(), { value: 'file', about: 'private key, instead of the one in --credentials' }),
  ca: option(file.optional(), { value: 'file', about: 'authorities to trust, instead of those in --credentials' }),
};

export type ConnectionOptions = z.output<z.ZodObject<typeof connectionOptions>>;

/** The three PEM files that the options name. */
export function tlsFilesOf({ credentials, cert, key, ca }: Omit<ConnectionOptions, 'master'>): TlsFiles {
  const inFolder = (name: string): string | undefined =>
    credentials === undefined ? undefined : join(credentials, name);
  const files = { cert: cert ?? inFolder('tls.crt'), key: key ?? inFolder('tls.key'), ca: ca ?? inFolder('ca.crt') };
  if (files.cert !== undefined && files.key !== undefined && files.ca !== undefined) {
    return { cert: files.cert, key: files.key, ca: files.ca };
  }
  throw usageError(
    "the operator's certificate is missing",
    'Give --credentials FOLDER (or KEYD_CREDENTIALS), or all of --cert, --key and --ca',
  );
}
