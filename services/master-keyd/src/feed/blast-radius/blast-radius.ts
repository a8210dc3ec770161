import type { BlastRadius } from '@sigv4-keyd/hop-protocol';
import type { Pool } from 'pg';
import { issuedAccessKeys } from './issued-access-keys.js';
import { issuedRegions } from './issued-regions.js';
import { whatRemainsGood } from './remains-good.js';
import type { RevokedScope } from './scope.js';

export type IdentitiesGivenKeys = BlastRadius['identities'];

/** Where the parts of a blast radius are read: each is one query, in a file of its own. */
export interface BlastRadiusSources {
  readonly accessKeys: (pool: Pool, scope: RevokedScope) => Promise<Pick<BlastRadius, 'accessKeys' | 'accessKeyCount'>>;
  /** Those of one rung each: regions, edges. */
  readonly identities: readonly ((pool: Pool, scope: RevokedScope) => Promise<IdentitiesGivenKeys>)[];
  readonly acceptances: (pool: Pool, scope: RevokedScope) => Promise<BlastRadius['acceptances']>;
}

export const BLAST_RADIUS_SOURCES: BlastRadiusSources = {
  accessKeys: issuedAccessKeys,
  identities: [issuedRegions],
  acceptances: () => Promise.resolve({ count: 0 }),
};

/** What a scope has cost or would cost, at `now` (epoch milliseconds). */
export async function blastRadiusOf(
  pool: Pool,
  scope: RevokedScope,
  now: number,
  sources: BlastRadiusSources = BLAST_RADIUS_SOURCES,
): Promise<BlastRadius> {
  const [accessKeys, acceptances, ...identities] = await Promise.all([
    sources.accessKeys(pool, scope),
    sources.acceptances(pool, scope),
    ...sources.identities.map((source) => source(pool, scope)),
  ]);
  return { ...accessKeys, identities: identities.flat(), acceptances, remainsGood: whatRemainsGood(scope, now) };
}
