import type { Cancel, Clock } from './clock.js';
import type { Finding } from './lookup-batches.js';

/** What is known already waits so long for what is not. */
const PATIENCE_MS = 1_000;

export interface PatientLookup<Key> {
  /** What was found is added, also after `findPatiently` has settled. */
  readonly known: Map<string, Finding<Key>>;
  readonly find: (accessKeyId: string) => Promise<Finding<Key>>;
  readonly clock: Clock;
}

/**
 * Looks for all of the access keys at once. Resolves when all were looked for or, where anything is known, after a
 * while; what is on its way then goes on by itself. Rejects with the first failure when nothing at all is known.
 */
export async function findPatiently<Key>(
  missing: readonly string[],
  { known, find, clock }: PatientLookup<Key>,
): Promise<void> {
  if (missing.length === 0) return;
  let failure: unknown;
  let tellKnown = (): void => undefined;
  const anyKnown = new Promise<void>((resolve) => {
    tellKnown = resolve;
  });
  if (known.size > 0) tellKnown();
  const all = missing.map(async (accessKeyId) => {
    try {
      known.set(accessKeyId, await find(accessKeyId));
      tellKnown();
    } catch (error) {
      failure ??= error;
    }
  });
  let stopWaiting: Cancel = () => undefined;
  const patience = new Promise<void>((resolve) => {
    stopWaiting = clock.after(PATIENCE_MS, resolve);
  });
  await Promise.race([Promise.all(all), Promise.all([patience, anyKnown])]);
  stopWaiting();
  if (known.size === 0) throw failure;
}
