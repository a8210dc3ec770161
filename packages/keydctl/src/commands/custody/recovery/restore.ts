import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineCommand } from '../../../command-line/define-command.js';
import { option } from '../../../command-line/option.js';
import { joinRecoveryShares } from '../../../custody/recovery-share.js';
import { chooseWrapped, restoreCustodyKey } from '../../../custody/restore-custody-key.js';
import { facts } from '../../../presentation/table.js';

const FILE = 'custody.key';
const custodyKeyId = z.string().regex(/^[0-9a-f]{16}$/, 'must be the id of a custody key, 16 hexadecimal digits');

export const restore = defineCommand({
  name: 'restore',
  summary: 'have a lost custody key back; on a machine that is offline',
  positionals: [['<share...>', 'files with shares, as many as the threshold says']],
  options: z.strictObject({
    wrapped: option(z.string().min(1, 'must name a file'), {
      value: 'file',
      about: 'what keydctl custody recovery show printed, or the database has',
    }),
    custodyKey: option(custodyKeyId.optional(), { value: 'id', about: 'which one, where there are several' }),
    out: option(z.string().min(1, 'must name a file').default(FILE), {
      value: 'file',
      about: `where to put the key; default ${FILE}`,
    }),
  }),
  examples: ['keydctl custody recovery restore --wrapped wrapped.txt share-1.txt share-4.txt share-5.txt'],
  async run({ options, positionals }) {
    const given = positionals.map(async (from) => ({ from, text: await readFile(from, 'utf8') }));
    const recoveryKey = await joinRecoveryShares(await Promise.all(given));
    const text = await readFile(options.wrapped, 'utf8');
    const wrapped = chooseWrapped(text, { recoveryKey, custodyKeyId: options.custodyKey });
    await restoreCustodyKey(wrapped, recoveryKey, options.out);
    return {
      document: { custodyKey: wrapped.custodyKeyId, file: options.out },
      text: (paint) =>
        facts(paint, [
          ['custody key', paint.bold(wrapped.custodyKeyId)],
          ['file', `${options.out} (masters: KEYD_CUSTODY_KEY_FILE)`],
        ]),
    };
  },
});
