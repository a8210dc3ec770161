import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FeedError,
  importFeedKey,
  KEY_PURPOSES,
  pinFeedKeys,
  type FeedKey,
  type KeyPurpose,
  type PinnedKeys,
} from '@sigv4-keyd/revocation';
import { CommandError } from '../command-line/command-error.js';
import { feedKeysFolder } from './feed-keys-folder.js';

/** A key of the feed, as far as a folder knows it. */
export interface FoundFeedKey {
  readonly purpose: KeyPurpose;
  readonly kid: string;
  /** Whether the file of public keys has it. */
  readonly pinned: boolean;
  /** The file with its private half; absent where it is kept elsewhere. */
  readonly file?: string;
  /** Others may read the private half. */
  readonly exposed: boolean;
}

/** Where the key that will take over from the present one waits. */
export function nextKeyFile(folder: string, purpose: KeyPurpose): string {
  return join(folder, `${purpose}.next.jwk`);
}

/** The public keys of a folder. @throws CommandError when the file is not what keydctl feed-keys made */
export async function readPublicKeys(folder: string): Promise<PinnedKeys> {
  const { public: file } = feedKeysFolder(folder);
  return explained(file, async () => pinFeedKeys(await readJson(file)));
}

/** Every key of a folder, those of one purpose together. @throws CommandError */
export async function findFeedKeys(folder: string): Promise<readonly FoundFeedKey[]> {
  const pinned = await readPublicKeys(folder);
  const files = feedKeysFolder(folder);
  const found = new Map<string, FoundFeedKey>();
  for (const { kid, purpose } of pinned.values()) found.set(kid, { purpose, kid, pinned: true, exposed: false });
  for (const purpose of KEY_PURPOSES) {
    for (const file of [files[purpose], nextKeyFile(folder, purpose)]) {
      const key = await readPrivateKey(file);
      if (key === undefined) continue;
      const { kid } = key;
      const exposed = ((await stat(file)).mode & 0o077) !== 0;
      found.set(kid, { purpose: key.purpose, kid, pinned: pinned.has(kid), file, exposed });
    }
  }
  return KEY_PURPOSES.flatMap((purpose) => [...found.values()].filter((key) => key.purpose === purpose));
}

/** Undefined where there is no such file: root keys are kept elsewhere, signing keys at the masters. */
async function readPrivateKey(file: string): Promise<FeedKey | undefined> {
  try {
    return await explained(file, async () => importFeedKey(await readJson(file)));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text, which may be a private key.
    throw new FeedError('malformed-keys', 'not JSON');
  }
}

async function explained<Result>(file: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    const next = 'Give the folder that keydctl feed-keys create made';
    throw new CommandError('failed', error.code, `${file}: ${error.message}`, next, { cause: error });
  }
}
