import { addDays } from '@sigv4-keyd/sigv4-core';
import type { RevocationStatement } from '@sigv4-keyd/revocation';
import { shortInstant } from '../presentation/age.js';
import { isoDay } from '../presentation/utc-days.js';

/**
 * What a revocation means for honest clients, and how they get back to service. SigV4 has no generation of keys inside
 * a day, so that nothing tells a stolen key of a (region, date) from the honest one.
 */
export function waysBack({ to, issuedBefore }: Pick<RevocationStatement, 'to' | 'issuedBefore'>): readonly string[] {
  const nextDay = isoDay(addDays(to, 1));
  return [
    'In this scope honest clients are refused, too: SigV4 has one key for each access key, day, region and service, ' +
      'and a thief has the same.',
    issuedBefore === undefined
      ? 'New access keys are hit as well, since --issued-before was not given; with it they work at once.'
      : `Access keys created from ${shortInstant(new Date(issuedBefore))} on work at once: keydctl access-key create.`,
    `Access keys as they are work again for what is signed from ${nextDay} 00:00 UTC on.`,
    'Shut out what was broken into (keydctl identity ban), or it is given the keys of the next day, too.',
    'Should this be a mistake, a lift signed with the offline root key takes it back: keydctl revocation lift request.',
  ];
}
