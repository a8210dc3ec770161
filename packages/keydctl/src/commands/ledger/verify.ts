import { formatMerkleHash, type LogIdentity } from '@sigv4-keyd/ledger';
import { z } from 'zod';
import { usageError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { openNamed, readCheckpoint, readLogIdentity, saveCheckpoint } from '../../ledger/checkpoint-files.js';
import { checkLedger, type ExpectedTree } from '../../ledger/ledger-check.js';
import { ledgerDiffers } from '../../ledger/ledger-differs.js';
import { downloadLeaves } from '../../ledger/ledger-download.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { facts } from '../../presentation/table.js';
import { progressLine } from '../../terminal/progress-line.js';

const file = z.string().min(1, 'must name a file');

export const verify = defineCommand({
  name: 'verify',
  summary: 'download the whole ledger and check that nothing in it was changed, cut or reordered',
  description:
    'Recomputes the tree over all records and compares it with the signed checkpoint of the master, and with those ' +
    'that were kept: --save remembers the newest from run to run, --checkpoint names one from elsewhere, such as the ' +
    'ledger-checkpoint in the state folder of a region or an edge.',
  options: z.strictObject({
    ledgerKey: option(file, {
      value: 'file',
      about: 'public key of the ledger (ledger.pub)',
      env: 'KEYD_LEDGER_KEYS_FILE',
    }),
    checkpoint: option(file.optional(), { value: 'file', about: 'a signed checkpoint that the ledger must contain' }),
    save: option(file.optional(), {
      value: 'file',
      about: 'compare with the checkpoint in it, then keep the newest in it',
    }),
    ...connectionOptions,
  }),
  examples: [
    'keydctl ledger verify --ledger-key ledger.pub --save checkpoint',
    'keydctl ledger verify --ledger-key ledger.pub --checkpoint /var/lib/region-keyd/ledger-checkpoint --json',
  ],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const progress = progressLine(surroundings);
    const checked = await withMaster(address, surroundings.now(), async (master, trustDomain) => {
      const log = await readLogIdentity(options.ledgerKey, trustDomain);
      const kept = await readKept(options, log);
      const newest = openNamed("the master's checkpoint", (await master.checkpoint()).checkpoint, log);
      const size = Math.max(newest.size, ...kept.map(({ checkpoint }) => checkpoint.size));
      const leaves = downloadLeaves(master, { size }, (done) => progress.show(`${done} of ${newest.size} records`));
      const trees = [...kept, { name: "the master's checkpoint", checkpoint: newest }];
      return { newest, kept, differences: await checkLedger(leaves, trees) };
    }).finally(() => progress.end());
    const { newest, differences } = checked;
    if (differences.length > 0) throw ledgerDiffers(differences);
    if (options.save !== undefined) await saveCheckpoint(options.save, newest);
    const root = formatMerkleHash(newest.root);
    const contains = checked.kept.map(({ name, checkpoint }) => ({ name, size: checkpoint.size }));
    return {
      document: { origin: newest.origin, size: newest.size, root, contains },
      text: (paint) =>
        facts(paint, [
          ['ledger', newest.origin],
          ['records', String(newest.size)],
          ['root', root],
          ...contains.map(({ name, size }) => ['contains', `${name} (${size} records)`] as const),
          ['verdict', paint.green('whole: every record is as it was signed')],
        ]),
    };
  },
});

/** The checkpoints that were kept. One to be saved may not be there yet; one that is named must be. */
async function readKept(
  { checkpoint, save }: { readonly checkpoint?: string | undefined; readonly save?: string | undefined },
  log: LogIdentity,
): Promise<readonly ExpectedTree[]> {
  const kept: ExpectedTree[] = [];
  for (const path of new Set([checkpoint, save])) {
    const read = path === undefined ? undefined : await readCheckpoint(path, log);
    if (read) kept.push({ name: `the checkpoint in ${path ?? ''}`, checkpoint: read });
    else if (path !== undefined && path === checkpoint) {
      throw usageError(`there is no file ${path}`, 'Name a file that exists; --save makes one');
    }
  }
  return kept;
}
