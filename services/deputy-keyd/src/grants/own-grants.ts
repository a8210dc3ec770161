import { errorCodeOf, OWN_GRANTS_PATH, ownGrants, type GrantedDays, type PeerClient } from '@sigv4-keyd/hop-protocol';
import type { Logger } from '@sigv4-keyd/service-skeleton';
import { addDays, type ScopeDate } from '@sigv4-keyd/sigv4-core';
import { readGrants, storeGrants } from './grants-file.js';

export interface OwnGrantsOptions {
  readonly stateFolder: string;
  readonly master: PeerClient;
  readonly log: Logger;
}

/** The days that operators granted to this deputy, as a master last told; kept for the time without one. */
export class OwnGrants {
  readonly #options: OwnGrantsOptions;
  #grants: readonly GrantedDays[];

  private constructor(options: OwnGrantsOptions, grants: readonly GrantedDays[]) {
    this.#options = options;
    this.#grants = grants;
  }

  /** @throws StartError */
  static async open(options: OwnGrantsOptions): Promise<OwnGrants> {
    return new OwnGrants(options, await readGrants(options.stateFolder));
  }

  get grants(): readonly GrantedDays[] {
    return this.#grants;
  }

  covers(date: ScopeDate): boolean {
    return this.#grants.some(({ from, to }) => from <= date && date <= to);
  }

  /** Every granted day once, oldest first. */
  get days(): readonly ScopeDate[] {
    const days = new Set<ScopeDate>();
    for (const { from, to } of this.#grants) for (let day = from; day <= to; day = addDays(day, 1)) days.add(day);
    return [...days].sort();
  }

  /** Asks a master. Resolves to whether the grants have changed; rejects with a KeydError when none can be asked. */
  async refresh(signal: AbortSignal): Promise<boolean> {
    const { stateFolder, log } = this.#options;
    const grants = await this.#ask(signal);
    if (JSON.stringify(grants) === JSON.stringify(this.#grants)) return false;
    // From now on, whether it can be stored or not: what was withdrawn must end.
    this.#grants = grants;
    log.warn({ event: 'grants-changed', security: true, grants }, 'the days that are granted to this deputy changed');
    await storeGrants(stateFolder, grants);
    return true;
  }

  /** Whoever is banned is answered nothing, not even the feed that says so: all grants have ended then, too. */
  async #ask(signal: AbortSignal): Promise<readonly GrantedDays[]> {
    try {
      const call = { method: 'GET', path: OWN_GRANTS_PATH, answer: ownGrants, signal } as const;
      return (await this.#options.master.call(call)).grants;
    } catch (error) {
      if (errorCodeOf(error) !== 'identity-banned') throw error;
      return [];
    }
  }
}
