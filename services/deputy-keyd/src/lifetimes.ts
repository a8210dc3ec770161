import { DATE_KEYS, keyMemoryProblem } from '@sigv4-keyd/hop-protocol';
import { SHARED_LIFETIMES, type Relation, type ServiceSettings } from '@sigv4-keyd/service-skeleton';
import { heldDaysOf } from './policy.js';

/** What decides how long anything lasts in a deputy: seconds, but for the memory, which is in bytes. */
type LifetimeSettings = ServiceSettings & { readonly keyMemory: number };

/** How the lifetimes of a deputy must stand to each other. */
export const LIFETIMES: readonly Relation<LifetimeSettings>[] = [
  ...SHARED_LIFETIMES,
  {
    between: ['keyMemory', 'longestPresigned', 'clockSkew'],
    problem: (settings) =>
      keyMemoryProblem({
        memoryBytes: settings.keyMemory,
        window: heldDaysOf(settings),
        keyBytes: DATE_KEYS.keyBytes,
      }),
  },
];
