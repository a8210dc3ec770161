import type { KeyObject } from 'node:crypto';
import type { RecoveryPublicKey } from '@sigv4-keyd/hop-protocol';
import { SealBroken } from './custody.js';
import { checkCustodyKeys, type Check, type CheckedKey } from './custody-check.js';
import { custodyKeyOf, custodyKeysOf } from './custody-key.js';
import { NOT_OF_THIS_KEEPER } from './custody-readings.js';
import { keepRecoverable } from './custody-recovery.js';
import { fileCustody } from './file-custody.js';
import type { CustodyContext, OpenCustody } from './open-custody.js';
import { open, seal } from './sealing.js';

export interface FileKeeper {
  readonly keeper: 'file';
  readonly custodyKey: KeyObject;
  readonly custodyKeyBefore: KeyObject | undefined;
  readonly recoveryKey: RecoveryPublicKey | undefined;
}

/** @throws StartError */
export async function openFileKeeper(
  { custodyKey, custodyKeyBefore, recoveryKey }: FileKeeper,
  { pool, clock }: CustodyContext,
): Promise<OpenCustody> {
  await checkCustodyKeys(pool, {
    current: checkedFileKey(custodyKey, 'KEYD_CUSTODY_KEY'),
    before: custodyKeyBefore ? [checkedFileKey(custodyKeyBefore, 'KEYD_CUSTODY_KEY_BEFORE')] : [],
    settingsBefore: ['KEYD_CUSTODY_KEY_BEFORE'],
  });
  const keys = custodyKeysOf(custodyKey, custodyKeyBefore);
  if (recoveryKey) await keepRecoverable(pool, { keys, recovery: recoveryKey, now: clock.now() });
  const recoverable = { labels: { keeper: 'file' }, value: recoveryKey ? 1 : 0 };
  return {
    custody: fileCustody(custodyKey, custodyKeyBefore),
    keySetting: 'KEYD_CUSTODY_KEY',
    warnings: () => [],
    readings: () => ({ ...NOT_OF_THIS_KEEPER, keyd_custody_recoverable: [recoverable] }),
    close: () => undefined,
  };
}

const BOUND_TO = 'sigv4-keyd custody check';

/** Proves itself by a sealed constant. */
export function checkedFileKey(secretKey: KeyObject, setting: string): CheckedKey {
  const key = custodyKeyOf(secretKey);
  return {
    id: key.id,
    setting,
    prove: () => seal(key, BOUND_TO, Buffer.from(BOUND_TO, 'utf8')),
    isProvenBy({ sealed }: Check) {
      try {
        return open({ current: key }, BOUND_TO, sealed).length > 0;
      } catch (error) {
        if (error instanceof SealBroken) return false;
        throw error;
      }
    },
  };
}
