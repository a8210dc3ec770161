import type { CredentialsStore } from '@sigv4-keyd/fastify-mtls';
import type { Clock } from '@sigv4-keyd/hop-protocol';
import type { Logger, Traces } from '@sigv4-keyd/service-skeleton';
import type { Pool } from 'pg';
import type { DatabaseHosts } from '../database/database-hosts.js';
import type { Custody, Resealing } from './custody.js';
import type { CustodyReadings } from './custody-readings.js';
import { openExternalKeeper } from './external/external-keeper.js';
import { openFileKeeper } from './file-keeper.js';
import type { Keeper } from './keeper.js';
import { openPkcs11Keeper } from './pkcs11/pkcs11-keeper.js';

/** What keepers are opened with. */
export interface CustodyContext {
  readonly pool: Pool;
  /** For connections of the keeper's own. */
  readonly hosts: DatabaseHosts;
  /** Our own, for keepers that are elsewhere. */
  readonly credentials: CredentialsStore;
  readonly clock: Clock;
  /** Rings the ends of waits for what lives in real time, whatever `clock` says. */
  readonly timer: Clock;
  readonly log: Logger;
  readonly tracer?: Traces['tracer'];
}

/** The keeper that was chosen, at work. */
export interface OpenCustody {
  readonly custody: Custody & Resealing;
  /** The variable that gives the key that it seals with. */
  readonly keySetting: string;
  /** What somebody should see to, in words. */
  readonly warnings: () => readonly string[];
  readonly readings: () => CustodyReadings;
  readonly close: () => unknown;
}

/**
 * Opens the keeper that was chosen, once it has shown that it has the keys of the secrets in this database.
 * @throws StartError
 */
export function openCustody(keeper: Keeper, context: CustodyContext): Promise<OpenCustody> {
  switch (keeper.keeper) {
    case 'file':
      return openFileKeeper(keeper, context);
    case 'external':
      return openExternalKeeper(keeper, context);
    case 'pkcs11':
      return openPkcs11Keeper(keeper, context);
  }
}
