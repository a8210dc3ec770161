import type { KeyObject } from 'node:crypto';
import { KeydError } from '@sigv4-keyd/hop-protocol';
import { TokenFailure } from '@sigv4-keyd/pkcs11-custody';
import { openWhole, requireProcesses, StartError } from '@sigv4-keyd/service-skeleton';
import { checkCustodyKeys } from '../custody-check.js';
import { NOT_OF_THIS_KEEPER } from '../custody-readings.js';
import { fileCustody } from '../file-custody.js';
import { checkedFileKey } from '../file-keeper.js';
import { movingFromFile } from '../moving-from-file.js';
import type { CustodyContext, OpenCustody } from '../open-custody.js';
import { checkedTokenKey } from './checked-token-key.js';
import { openTokenCustody, type OpenTokenCustody } from './open-token-custody.js';

export interface Pkcs11Keeper {
  readonly keeper: 'pkcs11';
  readonly module: string;
  readonly token: string;
  readonly pin: () => string;
  readonly key: string;
  readonly keyBefore: string | undefined;
  readonly sessions: number;
  /** Of the keeper with a key file from before, whose seals are read. */
  readonly custodyKeyBefore: KeyObject | undefined;
}

/** @throws StartError */
export async function openPkcs11Keeper(keeper: Pkcs11Keeper, context: CustodyContext): Promise<OpenCustody> {
  const { module, token, pin, key, keyBefore, sessions, custodyKeyBefore } = keeper;
  const { timer, log } = context;
  requireProcesses('KEYD_CUSTODY=pkcs11');
  const keys: [string, ...string[]] = keyBefore === undefined ? [key] : [key, keyBefore];
  const env = environmentOfModule(process.env);
  try {
    return await openWhole(async (parts) => {
      const open = await openTokenCustody({ module, token, pin: pin(), keys, sessions, env, timer, log });
      parts.add(open.close);
      await checkKeys(open, keeper, context);
      return {
        custody: custodyKeyBefore ? movingFromFile(open.custody, fileCustody(custodyKeyBefore)) : open.custody,
        keySetting: 'KEYD_PKCS11_KEY',
        warnings: open.warnings,
        readings: () => ({ ...NOT_OF_THIS_KEEPER, keyd_custody_sessions: open.sessions() }),
        close: () => parts.close(),
      };
    });
  } catch (error) {
    throw startErrorOf(error);
  }
}

function checkKeys(
  { keyIds, use, custody }: OpenTokenCustody,
  { custodyKeyBefore }: Pkcs11Keeper,
  { pool }: CustodyContext,
): Promise<void> {
  const idsBefore = keyIds.filter((id) => id !== custody.sealsWith);
  return checkCustodyKeys(pool, {
    current: checkedTokenKey(custody.sealsWith, 'KEYD_PKCS11_KEY', use),
    before: [
      ...idsBefore.map((id) => checkedTokenKey(id, 'KEYD_PKCS11_KEY_BEFORE', use)),
      ...(custodyKeyBefore ? [checkedFileKey(custodyKeyBefore, 'KEYD_CUSTODY_KEY_BEFORE')] : []),
    ],
    settingsBefore: ['KEYD_PKCS11_KEY_BEFORE', 'KEYD_CUSTODY_KEY_BEFORE'],
  });
}

/** The module has settings of its own there. Ours are kept from it: some are secrets. */
function environmentOfModule(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('KEYD_') && name !== 'NODE_OPTIONS'),
  );
}

/** What may come back by itself is unavailable; the rest is for somebody to mend. */
function startErrorOf(error: unknown): unknown {
  const failure = error instanceof KeydError ? error.cause : error;
  if (!(failure instanceof TokenFailure)) return error;
  const isAway = failure.reason === 'token-absent' || failure.reason === 'gone';
  return new StartError(`KEYD_CUSTODY=pkcs11: ${failure.message}`, isAway ? 69 : 78, failure);
}
