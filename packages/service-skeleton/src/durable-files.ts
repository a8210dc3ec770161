import { mkdir, open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Creates a folder that only its owner may enter, durably; an existing one stays as it is. */
export async function privateFolder(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true, mode: 0o700 });
  if (created !== undefined) await syncFolder(dirname(created));
}

/** Puts a file in place, durably; `unfinished` is its name until then. After a crash there is all of it or nothing. */
export async function placeFile(folder: string, name: string, unfinished: string, content: string): Promise<void> {
  const path = join(folder, unfinished);
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(path, join(folder, name));
  await syncFolder(folder);
}

/** A name in a folder lasts only once the folder itself is on disk, and so does its removal. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
