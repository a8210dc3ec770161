import type { HeldFeed } from '@sigv4-keyd/hop-protocol';
import { beacon, type Acceptance, type FeedDocument } from '@sigv4-keyd/revocation';

/**
 * Takes every document at its word. Thousands of edges verify on as many processors, which one machine does not have:
 * here they only read, and what verifying takes is measured at a real edge.
 */
export class TrustingJudge {
  #held: HeldFeed = { version: 0, setHash: undefined };
  readonly #onBeacon: () => void;
  readonly #onStatements: () => void;

  constructor(on: { readonly beacon: () => void; readonly statements: () => void }) {
    this.#onBeacon = on.beacon;
    this.#onStatements = on.statements;
  }

  held(): HeldFeed {
    return this.#held;
  }

  take({ beacon: jws }: FeedDocument): Acceptance {
    const [, payload = ''] = jws.split('.');
    const told = beacon.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    const { version, setHash } = told;
    const isNewer = version > this.#held.version;
    const isAnotherSet = this.#held.setHash !== undefined && setHash !== this.#held.setHash;
    if (isNewer) this.#held = { version, setHash };
    this.#onBeacon();
    if (isNewer && isAnotherSet) this.#onStatements();
    const outcome = isNewer ? 'advanced' : 'unchanged';
    return { newStatements: [], newChanges: [], refusedStatements: [], beacon: { outcome, beacon: told } };
  }
}
