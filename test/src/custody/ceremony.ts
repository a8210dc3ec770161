import { configuration, startMasterKeyd } from '@sigv4-keyd/master-keyd';
import { readConfiguration } from '@sigv4-keyd/service-skeleton';
import { exportKRegion } from '@sigv4-keyd/sigv4-core';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import type { Test } from 'tap';
import { keydctl, keydctlJson, type Result } from '../keydctl/keydctl-under-test.js';
import {
  capturedLog,
  environment,
  independentKRegion,
  NOON,
  startMaster,
  TODAY,
  type MasterUnderTest,
} from '../master-keyd/master-under-test.js';
import { TestAuthority } from '../support/certificates.js';
import { day } from '../support/days.js';
import { secretOf } from '../support/made-up-access-keys.js';
import { freshDatabase } from '../support/postgres.js';
import { newStateFolder } from '../support/state-folder.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A database and two custody keys; masters over it come and go. */
export interface Ceremony {
  readonly authority: TestAuthority;
  readonly database: string;
  readonly clock: VirtualClock;
  readonly old: Buffer;
  readonly anew: Buffer;
  readonly start: (custodyKey: Buffer, before?: Buffer, name?: string) => Promise<MasterUnderTest>;
  /** Why a master does not start with these keys; undefined when it does, and is stopped again. */
  readonly refusal: (custodyKey: Buffer, before?: Buffer) => Promise<unknown>;
  /** keydctl, by an operator of this master. */
  readonly shell: (master: MasterUnderTest) => {
    readonly json: (...args: string[]) => Promise<Record<string, unknown>>;
    readonly run: (...args: string[]) => Promise<Result>;
  };
}

export async function ceremony(t: Test): Promise<Ceremony> {
  const authority = await TestAuthority.create(newStateFolder(t));
  const database = await freshDatabase(t);
  const clock = new VirtualClock(NOON);
  const [old, anew] = [randomBytes(32), randomBytes(32)];
  const settings = (custodyKey: Buffer, before?: Buffer) => ({
    database,
    authority,
    clock,
    custodyKey,
    env: before ? { KEYD_CUSTODY_KEY_BEFORE: before.toString('base64') } : {},
  });
  const start = (custodyKey: Buffer, before?: Buffer, name = 'm1'): Promise<MasterUnderTest> =>
    startMaster(t, { ...settings(custodyKey, before), name });
  const refusal = async (custodyKey: Buffer, before?: Buffer): Promise<unknown> => {
    const env = await environment(authority, settings(custodyKey, before));
    try {
      await (await startMasterKeyd(readConfiguration(configuration, env), { clock, ...capturedLog() })).close();
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const credentials = dirname((await authority.filesOf({ role: 'operator', name: 'alice' })).cert);
  const shell = (master: MasterUnderTest) => {
    const url = `https://${master.service.addresses['hop'] ?? ''}`;
    const env = { KEYD_MASTER: url, KEYD_CREDENTIALS: credentials, NO_COLOR: '1' };
    return {
      json: (...args: string[]) => keydctlJson(args, { env, now: clock.now() }),
      run: (...args: string[]) => keydctl(args, { env, now: clock.now(), isTerminal: true }),
    };
  };
  return { authority, database, clock, old, anew, start, refusal, shell };
}

/** The region has the right key of each of the made-up access keys. */
export async function requireIssued(
  t: Test,
  master: MasterUnderTest,
  ids: readonly string[],
  what: string,
): Promise<void> {
  const region = await master.region('us-east-1');
  const { issued } = await region.issue({ date: day(TODAY), accessKeyIds: ids });
  const wrong = ids.filter((id) => {
    const key = issued.get(id)?.key;
    return !key || !exportKRegion(key).equals(independentKRegion(secretOf(id), TODAY, 'us-east-1'));
  });
  t.same(wrong, [], what);
}
