import { KeySearch, type FoundKeys, type SoughtKey } from '../support/key-search.js';
import { memoryOf } from './process-memory.js';
import type { TierStatus } from './process-tiers.js';

/** What is searched: a tier, or one of the processes that it consists of. */
export interface Searched {
  readonly pid: () => number;
  /** Resolves after a turn of its event loop. */
  readonly status: () => Promise<unknown>;
  /** Who would end it for standing still while it is read: stands still, too. */
  readonly watcher?: () => number;
}

export function inMemoryOf(
  { pid, watcher }: Pick<Searched, 'pid' | 'watcher'>,
  sought: readonly SoughtKey[],
): FoundKeys {
  const search = new KeySearch(sought);
  if (!watcher) return search.in(memoryOf(pid(), search.overlap));
  process.kill(watcher(), 'SIGSTOP');
  try {
    return search.in(memoryOf(pid(), search.overlap));
  } finally {
    process.kill(watcher(), 'SIGCONT');
  }
}

/** What was found of these, and how it was written. */
export function written(found: FoundKeys, sought: readonly SoughtKey[]): readonly string[] {
  return sought.flatMap(({ name }) => {
    const how = found.get(name);
    return how ? [`${name}: ${[...how].join(', ')}`] : [];
  });
}

/** Whose keys were found, of whatever day: by the hour, tomorrow's are held as well or not yet. */
export function ownersIn(found: readonly string[], ids: readonly string[]): readonly string[] {
  return ids.filter((id) => found.some((text) => text.includes(id)));
}

/** Whether a tier holds keys of so many access keys at most, in memory and on disk. */
export function holdsAtMost(most: number, { heldDays = [], keyCache }: TierStatus): boolean {
  return heldDays.every(({ keys }) => keys <= most) && keyCache?.isBehind === false;
}

/** Garbage is collected in several steps, some of them by threads of their own. */
const MOST_COLLECTIONS = 20;

/** What is found of these when garbage was collected until nothing goes any more, or until only `kept` are there. */
export async function left(
  tier: Searched,
  sought: readonly SoughtKey[],
  kept: readonly string[] = [],
): Promise<readonly string[]> {
  for (let time = 1; ; time += 1) {
    process.kill(tier.pid(), 'SIGUSR2');
    // Answered by the loop that the signal is handled in.
    for (let turn = 0; turn < 3; turn += 1) await tier.status();
    const found = written(inMemoryOf(tier, sought), sought);
    if (time === MOST_COLLECTIONS || found.every((text) => kept.some((id) => text.includes(id)))) return found;
  }
}
