import { KeySearch, type FoundKeys, type SoughtKey } from '../support/key-search.js';
import { memoryOf } from './process-memory.js';
import type { TierProcess, TierStatus } from './process-tiers.js';

export function inMemoryOf({ pid }: TierProcess, sought: readonly SoughtKey[]): FoundKeys {
  const search = new KeySearch(sought);
  return search.in(memoryOf(pid(), search.overlap));
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
