import type { KeyObject } from 'node:crypto';
import { createMtlsAgent } from '@sigv4-keyd/fastify-mtls';
import { ASKED_KEPT_MS, every, identityOf, type SignerPublicKey } from '@sigv4-keyd/hop-protocol';
import { openWhole } from '@sigv4-keyd/service-skeleton';
import { forgetAskedCalls } from '../../database/custody-calls.js';
import { openPool } from '../../database/pool.js';
import { checkCustodyKeys, type CheckedKey } from '../custody-check.js';
import { NOT_OF_THIS_KEEPER } from '../custody-readings.js';
import { fileCustody } from '../file-custody.js';
import { checkedFileKey } from '../file-keeper.js';
import type { CustodyContext, OpenCustody } from '../open-custody.js';
import { externalCustody } from './external-custody.js';
import { SignerCalls } from './signer-calls.js';
import { SignerClient } from './signer-client.js';

export interface ExternalKeeper {
  readonly keeper: 'external';
  readonly signers: readonly URL[];
  readonly signerKey: SignerPublicKey;
  readonly signerKeyBefore: SignerPublicKey | undefined;
  /** Of the file keeper, while secrets go over from there. */
  readonly custodyKeyBefore: KeyObject | undefined;
}

const FORGET_EVERY_MS = 3_600_000;

/** Does not wait for a signer: one that is away now may be back when it is needed. @throws StartError */
export function openExternalKeeper(keeper: ExternalKeeper, context: CustodyContext): Promise<OpenCustody> {
  const { signers, signerKey, signerKeyBefore, custodyKeyBefore } = keeper;
  const { pool, hosts, credentials, clock, timer, log, tracer } = context;
  return openWhole(async (parts) => {
    await checkCustodyKeys(pool, {
      current: checkedSignerKey(signerKey, 'KEYD_SIGNER_KEY'),
      before: [
        ...(signerKeyBefore ? [checkedSignerKey(signerKeyBefore, 'KEYD_SIGNER_KEY_BEFORE')] : []),
        ...(custodyKeyBefore ? [checkedFileKey(custodyKeyBefore, 'KEYD_CUSTODY_KEY_BEFORE')] : []),
      ],
      settingsBefore: ['KEYD_SIGNER_KEY_BEFORE', 'KEYD_CUSTODY_KEY_BEFORE'],
    });
    const agent = createMtlsAgent({ credentials, timer, acceptsServer: (id) => identityOf(id)?.role === 'signer' });
    parts.add(() => agent.close());
    // Transactions that wait for a signer hold connections of the other pool: the record of a call takes none of it.
    const records = openPool(hosts, log, { tracer });
    parts.add(() => records.end());
    const forget = (): Promise<void> =>
      forgetAskedCalls(records, clock.now() - ASKED_KEPT_MS).catch((error: unknown) =>
        log.warn({ err: error }, 'old records of calls of the signer were not removed'),
      );
    parts.add(every(clock, FORGET_EVERY_MS, forget));
    const client = new SignerClient({
      urls: signers,
      dispatcher: agent,
      records,
      credentials,
      clock,
      timer,
      log,
      tracer,
    });
    const before = custodyKeyBefore && fileCustody(custodyKeyBefore);
    return {
      custody: externalCustody({ signerKey, signerKeyBefore, fileCustody: before, calls: new SignerCalls(client) }),
      keySetting: 'KEYD_SIGNER_KEY',
      warnings: () => client.warnings(),
      readings: () => ({ ...NOT_OF_THIS_KEEPER, keyd_custody_signer_calls_total: client.recordedCalls }),
      close: () => parts.close(),
    };
  });
}

/** Its id is derived from it, and it can open nothing: that is all that there is to check. */
function checkedSignerKey({ id }: SignerPublicKey, setting: string): CheckedKey {
  return {
    id,
    setting,
    prove: () => Buffer.from(`sigv4-keyd signer key ${id}`, 'utf8'),
    isProvenBy: (check) => check.key_id === id,
  };
}
