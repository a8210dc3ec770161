import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { certificatesInPem } from '@sigv4-keyd/fastify-mtls';

/** A file of a folder, by what is in it and not by its name. */
export type FolderFile =
  | { readonly file: string; readonly holds: 'certificates'; readonly certificates: readonly X509Certificate[] }
  | { readonly file: string; readonly holds: 'private-key'; readonly key: KeyObject; readonly mode: number }
  | { readonly file: string; readonly holds: 'request'; readonly csrPem: string }
  | { readonly file: string; readonly holds: 'nothing-usable'; readonly why: 'unreadable' | 'malformed' };

const EXTENSIONS: ReadonlySet<string> = new Set(['.crt', '.pem', '.key', '.csr']);

/** Every file that is named like a certificate, key or request, in the folder and those below it, by name. */
export async function folderContents(folder: string): Promise<readonly FolderFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory() && EXTENSIONS.has(extname(entry.name)))
    .filter((entry) => !isHidden(relative(folder, entry.parentPath)))
    .map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.sort().map(readFolderFile));
}

// Versions of a pair (`.tls@…`, and `..data` where Kubernetes mounts a secret): they are seen through their links.
function isHidden(path: string): boolean {
  return path.split(sep).some((name) => name.startsWith('.'));
}

async function readFolderFile(file: string): Promise<FolderFile> {
  let text: string;
  let mode: number;
  try {
    text = await readFile(file, 'latin1');
    ({ mode } = await stat(file));
  } catch {
    return { file, holds: 'nothing-usable', why: 'unreadable' };
  }
  try {
    if (text.includes('PRIVATE KEY-----')) return { file, holds: 'private-key', key: createPrivateKey(text), mode };
    if (text.includes('CERTIFICATE REQUEST-----')) return { file, holds: 'request', csrPem: text };
    return { file, holds: 'certificates', certificates: certificatesInPem(text) };
  } catch {
    return { file, holds: 'nothing-usable', why: 'malformed' };
  }
}
