import type { RevocationStatement } from '@sigv4-keyd/revocation';
import { shortInstant } from '../presentation/age.js';

/**
 * What a revocation means for honest clients. SigV4 has no generation of keys inside a day, so that nothing tells a
 * stolen key of a (region, date) from the honest one.
 */
export function forClients(statement: Pick<RevocationStatement, 'accessKeyId' | 'issuedBefore'>): readonly string[] {
  return [
    'In this scope honest clients are refused, too: SigV4 has one key for each access key, day, region and service, ' +
      'and a thief has the same.',
    newAccessKeys(statement),
    'Should it be a mistake, a lift signed with the offline root key takes it back: keydctl revocation lift request.',
  ];
}

function newAccessKeys({ accessKeyId, issuedBefore }: Parameters<typeof forClients>[0]): string {
  if (accessKeyId !== undefined) return 'Other access keys are not hit, those of the same owner neither.';
  return issuedBefore === undefined
    ? 'New access keys are hit as well, since --issued-before was not given; with it they work at once.'
    : `Access keys created from ${shortInstant(new Date(issuedBefore))} on work at once: keydctl access-key create.`;
}
