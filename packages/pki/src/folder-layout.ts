import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { PkiError } from './pki-error.js';
import { alreadyThere } from './place-files.js';

export const AUTHORITY_CERTIFICATE = 'ca.crt';
export const AUTHORITY_KEY = 'ca.key';

const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;

/** Where a leaf lives: tls.crt, tls.key and ca.crt, as Kubernetes and others name them. */
export function leafFiles(folder: string, name = 'tls'): TlsFiles {
  if (!FILE_NAME.test(name) || name === 'ca') {
    throw new PkiError(
      'malformed-file-name',
      `${JSON.stringify(name)} is no name for files here: write one such as tls`,
    );
  }
  return {
    cert: join(folder, `${name}.crt`),
    key: join(folder, `${name}.key`),
    ca: join(folder, AUTHORITY_CERTIFICATE),
  };
}

/** @throws PkiError 'unreadable' */
export async function readText(file: string): Promise<string> {
  const text = await readIfThere(file);
  if (text === undefined) throw new PkiError('unreadable', `${file} is not there: check the folder`);
  return text;
}

/** @throws PkiError 'unreadable' when it is there and cannot be read */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'latin1');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new PkiError('unreadable', `${file} cannot be read: check whether this user may read it`, { cause });
  }
}

/** @throws PkiError 'exists' */
export async function refuseExisting(...files: readonly string[]): Promise<void> {
  for (const file of files) {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) throw alreadyThere(file);
  }
}
