import type { MasterClient } from '@sigv4-keyd/keydctl';
import type { CreatedAccessKey } from '@sigv4-keyd/hop-protocol';
import type { Stage } from './stage.js';
import type { Telling } from './telling.js';

export interface OneAccessKeyOptions {
  readonly stage: Stage;
  readonly telling: Telling;
  readonly master: MasterClient;
  readonly region: string;
  /** What is waited for news at most, milliseconds. */
  readonly patienceMs: number;
}

/** A laptop is lost: one access key is switched off, on again, and gets another secret. */
export async function oneAccessKey(accessKey: CreatedAccessKey, options: OneAccessKeyOptions): Promise<void> {
  const { stage, telling, master, region, patienceMs } = options;
  const { accessKeyId } = accessKey;
  const becomes = async (what: string, verdict: string, credentials = accessKey): Promise<void> => {
    const [got, ms] = await stage.until(verdict, stage.fresh(region, credentials), patienceMs);
    telling.check(`the backups, now, in ${region}, ${what}`, verdict, got);
    telling.say(`That took ${(ms / 1000).toFixed(2)} s.`);
  };
  telling.chapter('Meanwhile, a single access key');
  telling.say('A laptop with the secret of the backups is lost. No region and no day is to blame: this access key is.');
  telling.say('', `keydctl access-key disable ${accessKeyId}`);
  await master.change([accessKeyId], { kind: 'disable' });
  await becomes('disabled', 'access-key-disabled');
  telling.say('', 'It is needed tonight. A new secret under the same id, and the lost one is worth nothing:');
  telling.say(`keydctl access-key rotate ${accessKeyId}; keydctl access-key enable ${accessKeyId}`);
  const rotated = await master.rotate(accessKeyId);
  await master.change([accessKeyId], { kind: 'enable' });
  await becomes('with the new secret', 'verified', { ...accessKey, ...rotated.accessKey });
  telling.check('the same with the lost secret', 'signature-mismatch', await stage.fresh(region, accessKey)());
}
