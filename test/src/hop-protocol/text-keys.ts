import {
  HeldDays,
  memoryFor,
  type AccessKeyFacts,
  type Clock,
  type HeldDaysOptions,
  type Hop,
  type WindowRule,
} from '@sigv4-keyd/hop-protocol';

/** A hop whose keys are texts of at most 32 characters, which a test can read. */
export const TEXT_KEYS: Pick<Hop<string>, 'keyBytes' | 'exportKey' | 'importKey'> = {
  keyBytes: 32,
  exportKey: (text) => Buffer.from(text.padEnd(32), 'latin1'),
  importKey: (bytes) => Buffer.from(bytes).toString('latin1').trimEnd(),
};

export const HASH_SEED = Buffer.from('8 bytes!');

export function factsOf(accessKeyId: string, further: Partial<AccessKeyFacts> = {}): AccessKeyFacts {
  return { accessKeyId, version: 1, createdAt: 0, ...further };
}

/** Holds texts; by default 10,000 a day. */
export function holdTexts(
  clock: Clock,
  window: WindowRule,
  { mostKeysADay = 10_000, ...options }: { mostKeysADay?: number } & Partial<HeldDaysOptions<string, string>> = {},
): HeldDays<string> {
  return new HeldDays({
    hop: TEXT_KEYS,
    ready: (text) => text,
    clock,
    window,
    memoryBytes: memoryFor(mostKeysADay, { window, keyBytes: TEXT_KEYS.keyBytes }),
    hashSeed: HASH_SEED,
    denialOf: () => undefined,
    ...options,
  });
}
