import type { HeldDays } from '@sigv4-keyd/hop-protocol';

/** What a cache needs of the keys that a tier holds, whatever these are and are used for. */
export type KeysInMemory = Pick<
  HeldDays<unknown, unknown>,
  'copyOf' | 'covers' | 'entries' | 'hold' | 'sizeOf' | 'subscribe' | 'used'
>;
