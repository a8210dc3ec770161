import { keyMemoryProblem, REGION_KEYS } from '@sigv4-keyd/hop-protocol';
import { SHARED_LIFETIMES, type Relation, type ServiceSettings } from '@sigv4-keyd/service-skeleton';
import { windowRuleOf } from './policy.js';

/** How the lifetimes of a region must stand to each other. */
export const LIFETIMES: readonly Relation<ServiceSettings & { readonly keyMemory: number }>[] = [
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
];
