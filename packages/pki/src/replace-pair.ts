import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { PkiError } from './pki-error.js';
import { writeDurably, type FileToPlace } from './place-files.js';

/** PEM. Without a key, the one that is there stays, the very file. */
export interface NewPair {
  readonly key?: string;
  readonly cert: string;
}

/** Two names in a folder, and the link that both go through: `tls.key` is `.tls/tls.key`, `.tls` is a version. */
interface PairPlace {
  readonly folder: string;
  readonly key: string;
  readonly cert: string;
  readonly link: string;
}

/** The link to a version before it is the link of the pair. Moving it is what publishes: it can be moved once. */
const NEXT = 'next';

/**
 * Puts a key and its certificate into the place of those that are there, both with one rename: who is killed before it
 * leaves the old pair, who is killed after it the new one. What is there as plain files becomes links first, to the
 * same contents. What a killed call left behind goes with the next.
 * @throws PkiError 'renewed-meanwhile' when another call for the same pair was faster
 */
export async function replacePair({ key, cert }: TlsFiles, pair: NewPair): Promise<void> {
  const place: PairPlace = { folder: dirname(key), key, cert, link: `.${basename(key, extname(key))}` };
  const fresh = await newVersion(place);
  try {
    if (pair.key === undefined) await keepWhatIsThere(key, inVersion(place, fresh, key));
    else await write({ file: inVersion(place, fresh, key), contents: pair.key, mode: 0o600 }, place);
    await write({ file: inVersion(place, fresh, cert), contents: pair.cert, mode: 0o644 }, place);
    if (!(await isLinked(place))) await linkWhatIsThere(place);
    await publish(place, fresh);
  } finally {
    await discardAllButTheLinked(place);
  }
}

// No name of a pair has an @ in it: `.tls@…` belongs to `tls` alone.
async function newVersion(place: PairPlace): Promise<string> {
  const version = `${place.link}@${randomBytes(8).toString('hex')}`;
  const path = join(place.folder, version);
  await fs.mkdir(path, { mode: 0o700 });
  await fs.symlink(version, join(path, NEXT));
  // Whoever may look into the folder may look into its versions, whatever the umask.
  await fs.chmod(path, (await fs.stat(place.folder)).mode & 0o777);
  await giveToOwner(path, place);
  return version;
}

async function write(file: FileToPlace, place: PairPlace): Promise<void> {
  await writeDurably(file);
  await giveToOwner(file.file, place);
}

// Root renews for a service that runs as another user. Nobody else can give files away, and has no need to.
async function giveToOwner(path: string, { folder }: PairPlace): Promise<void> {
  const { uid, gid } = await fs.stat(folder);
  await fs.chown(path, uid, gid).catch(() => undefined);
}

function inVersion({ folder }: PairPlace, version: string, file: string): string {
  return join(folder, version, basename(file));
}

async function isLinked({ key, cert, link }: PairPlace): Promise<boolean> {
  for (const file of [key, cert]) {
    if ((await linkAt(file)) !== join(link, basename(file))) return false;
  }
  return true;
}

async function linkAt(file: string): Promise<string | undefined> {
  return fs.readlink(file).catch(() => undefined);
}

async function linkWhatIsThere(place: PairPlace): Promise<void> {
  const held = await newVersion(place);
  const files = [place.key, place.cert];
  for (const file of files) await keepWhatIsThere(file, inVersion(place, held, file));
  await publish(place, held);
  for (const file of files) {
    const staged = inVersion(place, held, `${basename(file)}.link`);
    await fs.symlink(join(place.link, basename(file)), staged);
    await fs.rename(staged, file);
  }
}

async function keepWhatIsThere(file: string, to: string): Promise<void> {
  let from: string;
  try {
    from = await fs.realpath(file);
  } catch (cause) {
    // A pair whose certificate is still to come.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return;
    throw cause;
  }
  // With its owner and mode; a copy where it lies on another file system, or is another's, whom we may not link to.
  await fs.link(from, to).catch(() => fs.copyFile(from, to));
}

async function publish({ folder, link, key }: PairPlace, version: string): Promise<void> {
  await sync(join(folder, version));
  try {
    await fs.rename(join(folder, version, NEXT), join(folder, link));
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
    throw new PkiError('renewed-meanwhile', `${key} was replaced by another call meanwhile: look whether that will do`);
  }
  await sync(folder);
}

async function discardAllButTheLinked({ folder, link }: PairPlace): Promise<void> {
  const versions = (await fs.readdir(folder)).filter((name) => name.startsWith(`${link}@`));
  for (const version of versions) {
    if ((await linkAt(join(folder, link))) === version) continue;
    // Without NEXT it cannot be published any more; if another call did so just now, it is the pair.
    await fs.rm(join(folder, version, NEXT), { force: true });
    if ((await linkAt(join(folder, link))) === version) continue;
    await fs.rm(join(folder, version), { recursive: true, force: true });
  }
}

async function sync(folder: string): Promise<void> {
  const handle = await fs.open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
