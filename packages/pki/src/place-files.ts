import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PkiError } from './pki-error.js';

export interface FileToPlace {
  readonly file: string;
  readonly contents: string;
  readonly mode: 0o600 | 0o644;
}

export type Placing = 'new' | 'replacing';

/**
 * Writes all the files beside their places, then moves them there one after the other, in the order given: a reader
 * sees a whole old file or a whole new one, and a failure while writing changes nothing.
 * @throws PkiError 'exists' when a file that should be new is there already
 */
export async function placeFiles(files: readonly FileToPlace[], placing: Placing): Promise<void> {
  const staged: { readonly from: string; readonly to: string }[] = [];
  try {
    for (const file of files) {
      await mkdir(dirname(file.file), { recursive: true });
      const from = join(dirname(file.file), `.placing-${randomBytes(8).toString('hex')}`);
      staged.push({ from, to: file.file });
      await writeDurably({ ...file, file: from });
    }
    for (const { from, to } of staged) await (placing === 'new' ? linkNew(from, to) : rename(from, to));
  } finally {
    await Promise.all(staged.map(({ from }) => rm(from, { force: true })));
  }
}

/** A new file, on the disk when this resolves. */
export async function writeDurably({ file, contents, mode }: FileToPlace): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    // Said again because the umask may have taken from it; it never adds, so a key was at no time readable by others.
    await handle.chmod(mode);
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

// Unlike rename, link refuses to replace what is there.
async function linkNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') throw alreadyThere(to);
    throw cause;
  }
}

export function alreadyThere(file: string): PkiError {
  return new PkiError('exists', `${file} is there already: choose another folder, or move it away if it is not needed`);
}
