import { DatabaseHosts, openPool, type Asker, type IssuingOptions } from '@sigv4-keyd/master-keyd';
import type { Test } from 'tap';
import { TRUST_DOMAIN } from '../support/certificates.js';
import { capturedLog, type MasterUnderTest } from './master-under-test.js';

/** For whom and with what a key source issues that a test calls without the network, with a custody of its own. */
export function issuedDirectly(
  t: Test,
  master: MasterUnderTest,
  custody: IssuingOptions['custody'],
): readonly [asker: Asker, options: IssuingOptions] {
  const { log } = capturedLog();
  const pool = openPool(DatabaseHosts.of(master.database), log);
  t.teardown(() => pool.end());
  const peer = { role: 'region', trustDomain: TRUST_DOMAIN, region: 'us-east-1', name: 'r1' } as const;
  return [
    { peer, requestId: 'direct-request', log },
    {
      pool,
      custody,
      window: { longestPresignedSeconds: 3_600, clockSkewSeconds: 900 },
      master: { role: 'master', trustDomain: TRUST_DOMAIN, name: 'm1' },
      requireUpToDate: () => undefined,
      now: () => master.clock.now(),
    },
  ];
}
