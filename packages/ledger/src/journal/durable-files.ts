import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

/** Creates a folder that only its owner may enter, with its parents, durably. An existing one stays as it is. */
export async function createFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  if (first === undefined) return;
  // A folder lasts only once the folder that lists it is on disk, from the topmost new one down.
  let parent = dirname(first);
  await syncFolder(parent);
  for (const name of relative(parent, folder).split(sep).slice(0, -1)) {
    parent = join(parent, name);
    await syncFolder(parent);
  }
}

/** Makes creations, renames and removals in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a whole file in place, durably: after a crash there is either the old content or the new, never a part. */
export async function placeFile(folder: string, name: string, unfinished: string, content: string): Promise<void> {
  const path = join(folder, unfinished);
  const handle = await open(path, 'w', OWNER_ONLY_FILE);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(path, join(folder, name));
  await syncFolder(folder);
}

/** Writes all of the bytes at a place in the file, or throws. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}
