import {
  KeydError,
  type Absence,
  type IssuedKey,
  type KeyAnswer,
  type KeyRequest,
  type KeySource,
} from '@sigv4-keyd/hop-protocol';
import type { ScopeDate } from '@sigv4-keyd/sigv4-core';
import { factsOf } from './text-keys.js';

/**
 * A parent that knows the ids that begin with 'AK' unless told otherwise, counts what it is asked, and can be told to
 * fail or to wait.
 */
export class KnowingParent implements KeySource<string> {
  readonly asked: KeyRequest[] = [];
  readonly requestIds: (string | undefined)[] = [];
  failure: Error | undefined;
  /** Answers that nothing is known. */
  isBlind = false;
  knows: (accessKeyId: string) => boolean = (accessKeyId) => accessKeyId.startsWith('AK');
  /** When an access key ends, epoch milliseconds. */
  endOf: (accessKeyId: string) => number | undefined = () => undefined;
  accepts: (date: ScopeDate) => boolean = () => true;
  #gate: Promise<void> = Promise.resolve();

  async issue(request: KeyRequest, requestId?: string): Promise<KeyAnswer<string>> {
    this.asked.push(request);
    this.requestIds.push(requestId);
    await this.#gate;
    if (this.failure !== undefined) throw this.failure;
    if (!this.accepts(request.date)) throw new KeydError('date-outside-window');
    const issued = new Map<string, IssuedKey<string>>();
    const absent = new Map<string, Absence>();
    for (const accessKeyId of request.accessKeyIds) {
      if (this.isBlind) absent.set(accessKeyId, 'unavailable');
      else if (this.knows(accessKeyId)) {
        const expiresAt = this.endOf(accessKeyId);
        const facts = { ...factsOf(accessKeyId), ...(expiresAt !== undefined && { expiresAt }) };
        issued.set(accessKeyId, { facts, key: `${accessKeyId}@${request.date}` });
      } else {
        absent.set(accessKeyId, 'unknown');
      }
    }
    return { issued, absent };
  }

  /** Answers wait until the returned function is called. */
  hold(): () => void {
    let open: () => void = () => undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  get idsAsked(): number {
    return this.asked.reduce((sum, { accessKeyIds }) => sum + accessKeyIds.length, 0);
  }
}
