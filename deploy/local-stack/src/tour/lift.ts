import { readFile } from 'node:fs/promises';
import { requestLift, signLift, type MasterClient, type WantedLift } from '@sigv4-keyd/keydctl';

export interface LiftOptions extends Pick<WantedLift, 'revocation' | 'now'> {
  readonly master: MasterClient;
  /** SPIFFE id. */
  readonly operator: string;
  /** File of the root key. */
  readonly rootKey: string;
}

/** All three steps of a lift at one place. Resolves with what was lifted, in words. */
export async function lift({ master, revocation, operator, rootKey, now }: LiftOptions): Promise<string> {
  const request = requestLift({ revocation, author: operator, reason: 'the tour is over', now });
  const jws = await signLift(request, await readFile(rootKey, 'utf8'));
  return (await master.lift(jws)).scope;
}
