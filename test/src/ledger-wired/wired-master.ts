import type { TlsFiles } from '@sigv4-keyd/fastify-mtls';
import { ACCESS_KEY_IMPORT_PATH, CHECKPOINT_PATH, checkpointAnswer, type PeerClient } from '@sigv4-keyd/hop-protocol';
import { parseCheckpoint, parseNote } from '@sigv4-keyd/ledger';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { z } from 'zod';
import { keydctl, type Result } from '../keydctl/keydctl-under-test.js';
import { startMaster, TODAY, type MasterOptions, type MasterUnderTest } from '../master-keyd/master-under-test.js';
import { day } from '../support/days.js';
import { newStateFolder } from '../support/state-folder.js';
import { LEDGER_KEYS } from '../support/test-ledger.js';

export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/** What did not happen by then never will. */
export const MOST_BEATS = 1_000;

/** A master with access keys, and an operator who verifies its ledger. */
export interface WiredMaster extends MasterUnderTest {
  readonly client: PeerClient;
  /** Has regions ask for a key each, one after the other. */
  readonly issue: (...names: readonly string[]) => Promise<void>;
  /** Moves the clock from beat to beat until the newest checkpoint is of so many leaves. */
  readonly sequence: (size: number) => Promise<void>;
  /** Moves the clock until the master says this of its ledger. */
  readonly until: (isSo: (ledger: LedgerStatus) => boolean) => Promise<LedgerStatus>;
  /** The size of the newest checkpoint. */
  readonly size: () => Promise<number>;
  readonly verify: (...args: readonly string[]) => Promise<Result>;
  readonly keydctl: (...args: readonly string[]) => Promise<Result>;
}

export async function wiredMaster(t: Test, options: MasterOptions = {}): Promise<WiredMaster> {
  const master = await startMaster(t, options);
  const files: TlsFiles = await master.authority.filesOf({ role: 'operator', name: 'auditor' });
  const client = await master.operator();
  if (!options.database) await importAccessKey(client, 'AKIAONE');
  const key = join(newStateFolder(t), 'ledger.pub');
  writeFileSync(key, `${LEDGER_KEYS}\n`);
  const connection = ['--master', `https://${master.service.addresses['hop'] ?? ''}`];
  for (const [name, file] of Object.entries(files)) connection.push(`--${name}`, String(file));
  const call = (...args: readonly string[]): Promise<Result> => keydctl([...args, ...connection]);
  return {
    ...master,
    client,
    async issue(...names) {
      for (const name of names) {
        const region = await master.region('us-east-1', name);
        await region.issue({ date: day(TODAY), accessKeyIds: ['AKIAONE'] });
      }
    },
    async sequence(size) {
      for (let beats = 0; (await sizeOf(client)) < size; beats += 1) {
        if (beats === MOST_BEATS) throw new Error(`the log does not grow to ${size} leaves`);
        await master.clock.advance(1_000);
      }
    },
    async until(isSo) {
      for (let beats = 0; ; beats += 1) {
        const { ledger } = status.parse((await master.health('/status')).body);
        if (isSo(ledger)) return ledger;
        if (beats === MOST_BEATS) throw new Error(`the ledger stays ${JSON.stringify(ledger)}`);
        await master.clock.advance(1_000);
      }
    },
    size: () => sizeOf(client),
    keydctl: call,
    verify: (...args) => call('ledger', 'verify', '--ledger-key', key, ...args),
  };
}

export async function importAccessKey(client: PeerClient, accessKeyId: string): Promise<void> {
  const body = { owner: 'ann', accessKeyId, secretAccessKey: SECRET };
  await client.call({ method: 'POST', path: ACCESS_KEY_IMPORT_PATH, body, answer: z.any() });
}

export async function sizeOf(client: PeerClient): Promise<number> {
  const { checkpoint } = await client.call({ method: 'GET', path: CHECKPOINT_PATH, answer: checkpointAnswer });
  return parseCheckpoint(parseNote(checkpoint).text).size;
}

const ledgerStatus = z.looseObject({
  size: z.number(),
  pending: z.number(),
  refusedJournals: z.array(z.looseObject({ refusal: z.string(), expected: z.number() })),
  ahead: z.array(z.object({ spiffeId: z.string(), size: z.number() })),
  failure: z.string().optional(),
});
export type LedgerStatus = z.infer<typeof ledgerStatus>;
const status = z.looseObject({ ledger: ledgerStatus });
