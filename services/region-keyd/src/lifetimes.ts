import { keyMemoryProblem, REGION_KEYS, REGION_PUBLIC_KEYS } from '@sigv4-keyd/hop-protocol';
import { SHARED_LIFETIMES, type Relation, type ServiceSettings } from '@sigv4-keyd/service-skeleton';
import { windowRuleOf } from './policy.js';

/** What decides how long anything lasts in a region: seconds, but for the memory, which is in bytes. */
type LifetimeSettings = ServiceSettings & { readonly keyMemory: number; readonly publicKeyMemory: number };

/** How the lifetimes of a region must stand to each other. */
export const LIFETIMES: readonly Relation<LifetimeSettings>[] = [
  ...SHARED_LIFETIMES,
  {
    between: ['keyMemory', 'longestPresigned', 'clockSkew'],
    problem: (settings) =>
      keyMemoryProblem({
        memoryBytes: settings.keyMemory,
        window: windowRuleOf(settings),
        keyBytes: REGION_KEYS.keyBytes,
      }),
  },
  {
    between: ['publicKeyMemory', 'longestPresigned', 'clockSkew'],
    problem: (settings) =>
      keyMemoryProblem({
        setting: 'KEYD_PUBLIC_KEY_MEMORY',
        memoryBytes: settings.publicKeyMemory,
        window: windowRuleOf(settings),
        keyBytes: REGION_PUBLIC_KEYS.keyBytes,
      }),
  },
];
