import { z } from 'zod';
import { usageError } from '../../../command-line/command-error.js';
import { defineCommand } from '../../../command-line/define-command.js';
import { option } from '../../../command-line/option.js';
import { createRecoveryKey } from '../../../custody/create-recovery-key.js';
import { facts } from '../../../presentation/table.js';

const FOLDER = 'recovery';
const SMALL = /^(?:[2-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])$/;
const few = z.string().regex(SMALL, 'must be a number from 2 to 255').transform(Number);

export const create = defineCommand({
  name: 'create',
  summary: 'make a recovery key, in shares; on a machine that is offline',
  description:
    'Makes an X25519 key pair. Its private half is split by the scheme of Shamir and written as shares alone: as ' +
    'many of them as the threshold says make it again, and fewer tell nothing. The public half goes to the masters. ' +
    'Nothing that is there is overwritten.',
  options: z.strictObject({
    shares: option(few, { value: 'n', about: 'how many shares to make' }),
    threshold: option(few, { value: 'm', about: 'how many of them make the key' }),
    out: option(z.string().min(1, 'must name a folder').default(FOLDER), {
      value: 'folder',
      about: `where to put them; default ${FOLDER}`,
    }),
  }),
  examples: ['keydctl custody recovery create --shares 5 --threshold 3'],
  async run({ options }) {
    const { shares, threshold, out } = options;
    if (threshold > shares) throw usageError('--threshold is more than --shares', 'No one could ever make the key');
    const made = await createRecoveryKey(out, { shares, threshold });
    return {
      document: made,
      text: (paint) =>
        [
          facts(paint, [
            ['recovery key', paint.bold(made.recoveryKey)],
            ['public half', `${made.public} (masters: KEYD_RECOVERY_KEY_FILE)`],
            ...made.shares.map((file, index) => [`share ${index + 1}`, file] as const),
          ]),
          `Give each share to another person, and remove the files. Any ${threshold} of them make the key.`,
        ].join('\n\n'),
    };
  },
});
