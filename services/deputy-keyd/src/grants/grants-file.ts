import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownGrants, type GrantedDays } from '@sigv4-keyd/hop-protocol';
import { placeFile, StartError } from '@sigv4-keyd/service-skeleton';

const NAME = 'grants.json';
const UNFINISHED = 'grants.unfinished';

/**
 * What was granted when a master was last reached: a restart while none is must not forget it.
 * @throws StartError for a file that is damaged
 */
export async function readGrants(folder: string): Promise<readonly GrantedDays[]> {
  const path = join(folder, NAME);
  try {
    return ownGrants.parse(JSON.parse(await readFile(path, 'utf8'))).grants;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new StartError(
      `${path} cannot be read: remove it while a master is up, which tells the grants anew`,
      78,
      error,
    );
  }
}

export function storeGrants(folder: string, grants: readonly GrantedDays[]): Promise<void> {
  return placeFile(folder, NAME, UNFINISHED, JSON.stringify({ grants }));
}
