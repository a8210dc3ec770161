import { isAbsence, type FeedMark } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '../logging.js';
import { cacheFiles, dayOfFile, OLDER_SECRETS_FILE, USES_FILE } from './cache-folder.js';
import { CACHE_PROBLEMS, CacheFileError, type CacheProblem } from './cache-problem.js';
import type { CacheSecret } from './cache-secret.js';
import type { KeyRecord } from './key-record.js';
import type { KeysInMemory } from './keys-in-memory.js';
import type { OlderSecrets } from './older-secrets.js';
import { recordsIn, type RecordForm } from './record-blocks.js';
import { SealedFile } from './sealed-file.js';
import type { SegmentHead } from './segment-head.js';
import { useRecordForm } from './use-record.js';

export interface CacheToRestore {
  readonly folder: string;
  /** The path of the hop that the keys came by. */
  readonly keys: string;
  readonly form: RecordForm<KeyRecord>;
  readonly held: Pick<KeysInMemory, 'covers' | 'hold' | 'used'>;
  readonly secret: CacheSecret;
  readonly older: OlderSecrets;
  /** How far the feed had come that was restored before. */
  readonly feed: FeedMark | undefined;
  readonly log: Logger;
}

/** A file that was taken up. */
export interface RestoredFile {
  readonly file: SealedFile;
  /** It holds denied keys, is not whole, or is sealed under an older secret: to be written anew. */
  readonly isStale: boolean;
}

interface Tally {
  taken: number;
  denied: number;
}

/**
 * Puts back what an earlier process kept. Each file is read twice: the first time to see that it is to be believed, and
 * under which feed it was written, so that no key is taken up of a cache that is refused. What cannot be used is told
 * in one line and removed, since it may hold keys. Never rejects for what the files hold, nor for a disk that fails.
 */
export async function restoreCache(cache: CacheToRestore): Promise<readonly RestoredFile[]> {
  const files = await filesOf(cache);
  const problems = new Map<SealedFile, CacheProblem | undefined>();
  for (const file of files) problems.set(file, await check(cache, file));
  if ([...problems.values()].includes('newer-feed')) {
    for (const file of files) await refuse(cache, file, 'newer-feed');
    return [];
  }
  const restored: RestoredFile[] = [];
  const tally: Tally = { taken: 0, denied: 0 };
  for (const [file, problem] of problems) {
    const isWhole = problem === undefined;
    if (!isWhole) await refuse(cache, file, problem);
    if (file.bytes > 0) restored.push({ file, isStale: (await takeUp(cache, file, tally)) || !isWhole });
    else if (isWhole) await remove(cache, file);
  }
  const days = restored.filter(({ file }) => file.name !== USES_FILE).length;
  cache.log.info({ event: 'key-cache-restored', days, ...tally }, 'keys were taken up from the cache on disk');
  return restored;
}

/** The files that may be of use. Those of days outside the window are removed unread. */
async function filesOf(cache: CacheToRestore): Promise<readonly SealedFile[]> {
  const files: SealedFile[] = [];
  for (const name of await namesOf(cache)) {
    const file = new SealedFile(cache.folder, cache.keys, name);
    const date = dayOfFile(name);
    if (name === OLDER_SECRETS_FILE) {
      const read = cache.older.read(cache.secret);
      await read.catch((error: unknown) => refuse(cache, file, problemOf(error)));
    } else if (name === USES_FILE || (date !== undefined && cache.held.covers(date))) files.push(file);
    else await remove(cache, file);
  }
  return files;
}

async function namesOf({ folder, log }: CacheToRestore): Promise<readonly string[]> {
  try {
    return await cacheFiles(folder);
  } catch (error) {
    log.error({ event: 'key-cache-unreadable', err: error }, 'the key cache cannot be read: keys have to be fetched');
    return [];
  }
}

/** What is wrong with a file; what stands before that is whole. */
async function check(cache: CacheToRestore, file: SealedFile): Promise<CacheProblem | undefined> {
  try {
    const onHead = ({ feed }: SegmentHead): void => requireOlder(feed, cache.feed);
    const { problem } = await file.read({ secrets: secretsOf(cache), onHead });
    return problem;
  } catch (error) {
    return problemOf(error);
  }
}

/**
 * Keys that were wiped under one state of the feed must not come back under an older one: somebody has put back an old
 * state, or removed it. Two sets under one version cannot both be honest.
 */
function requireOlder(written: FeedMark, restored: FeedMark | undefined): void {
  if (restored !== undefined && written.version < restored.version) return;
  if (restored?.version === written.version && restored.setHash === written.setHash) return;
  throw new CacheFileError('newer-feed');
}

/** Returns whether the file is to be written anew. */
async function takeUp(cache: CacheToRestore, file: SealedFile, tally: Tally): Promise<boolean> {
  const deniedBefore = tally.denied;
  const take = takerOf(cache, file, tally);
  let writtenAt = 0;
  try {
    const { problem, secretNames } = await file.read({
      secrets: secretsOf(cache),
      // What was found to be whole, and no part of what comes behind it.
      upTo: file.bytes,
      onHead({ feed, at }) {
        requireOlder(feed, cache.feed);
        writtenAt = at;
      },
      onRecords: (content) => take(content, writtenAt),
    });
    const isOurs = secretNames.size === 1 && secretNames.has(cache.secret.name);
    return problem !== undefined || !isOurs || tally.denied > deniedBefore;
  } catch (error) {
    // It was whole a moment ago. What was taken up of it was authentic.
    const line = { event: 'key-cache-unreadable', file: file.name, err: error };
    cache.log.error(line, 'a file of the key cache cannot be read to its end');
    return true;
  }
}

/** What takes up the records of a block. */
type Taker = (content: Buffer, writtenAt: number) => void;

function takerOf({ form, held }: CacheToRestore, file: SealedFile, tally: Tally): Taker {
  const date = dayOfFile(file.name);
  if (date === undefined) {
    return (content) => {
      for (const { accessKeyId, date: day } of recordsIn(useRecordForm, content)) held.used.mark(accessKeyId, day);
    };
  }
  return (content, writtenAt) => {
    for (const { facts, key, isPinned } of recordsIn(form, content)) {
      const holding = held.hold(date, facts, key, { isPinned, fetchedAt: writtenAt });
      tally[isAbsence(holding) ? 'denied' : 'taken'] += 1;
    }
  };
}

function secretsOf({ secret, older }: CacheToRestore): readonly CacheSecret[] {
  return [secret, ...older.all];
}

function problemOf(error: unknown): CacheProblem {
  return error instanceof CacheFileError ? error.problem : 'unreadable';
}

/** Tells of the problem; a file of which nothing is to be used is removed. */
async function refuse(cache: CacheToRestore, file: SealedFile, problem: CacheProblem): Promise<void> {
  const isUsed = file.bytes > 0 && problem !== 'newer-feed';
  const line = { event: 'key-cache-refused', file: file.name, problem, usedBytes: isUsed ? file.bytes : 0 };
  const message = `a file of the key cache cannot be used${isUsed ? ' to its end' : ''}: ${CACHE_PROBLEMS[problem]}`;
  // A crash leaves such an end, and nothing is lost that was said to be saved.
  if (problem === 'cut-short') cache.log.info(line, message);
  else cache.log.error({ ...line, security: true }, message);
  if (!isUsed) await remove(cache, file);
}

async function remove({ log }: CacheToRestore, file: SealedFile): Promise<void> {
  await file.remove().catch((error: unknown) => {
    const line = { event: 'key-cache-unremoved', file: file.name, err: error };
    log.error(line, 'a file of the key cache cannot be removed: remove it by hand');
  });
}
