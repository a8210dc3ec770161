import { mostDaysInWindow, type WindowRule } from '@sigv4-keyd/sigv4-core';
import { mostBytesAKey } from './held-keys.js';
import { MOST_BYTES_A_USE } from './used-access-keys.js';

/** What decides how many access keys a tier can hold. */
export interface KeyMemory {
  /** For the keys of all days, and for who used them when. */
  readonly memoryBytes: number;
  readonly window: WindowRule;
  /** Length of a key, bytes. */
  readonly keyBytes: number;
}

/** A tier that holds fewer would fetch the same keys again and again. */
const FEWEST_KEYS_A_DAY = 1_000;

/** How many access keys fit on each day of the window, every day alike; ids of more than 20 characters take more. */
export function keysADay(memory: KeyMemory): number {
  return Math.floor(memory.memoryBytes / bytesAnAccessKey(memory));
}

/** The memory that so many access keys a day take, bytes. */
export function memoryFor(keysADay: number, rules: Omit<KeyMemory, 'memoryBytes'>): number {
  return keysADay * bytesAnAccessKey(rules);
}

/** Why the memory of a setting is not enough, with the arithmetic; undefined when it is. */
export function keyMemoryProblem(memory: KeyMemory & { readonly setting?: string }): string | undefined {
  const { setting = 'KEYD_KEY_MEMORY' } = memory;
  const keys = keysADay(memory);
  if (keys >= FEWEST_KEYS_A_DAY) return undefined;
  const days = mostDaysInWindow(memory.window);
  const each = `${days} days x ${mostBytesAKey(memory.keyBytes)} B + ${MOST_BYTES_A_USE} B`;
  const least = Math.ceil(memoryFor(FEWEST_KEYS_A_DAY, memory) / 1024);
  return (
    `${setting} holds ${keys} access keys a day (${memory.memoryBytes} B / (${each} an access key)), ` +
    `but must hold at least ${FEWEST_KEYS_A_DAY}: set ${least}KiB or more`
  );
}

/** Of an access key that is held on every day of the window. */
function bytesAnAccessKey({ window, keyBytes }: Omit<KeyMemory, 'memoryBytes'>): number {
  return mostDaysInWindow(window) * mostBytesAKey(keyBytes) + MOST_BYTES_A_USE;
}
