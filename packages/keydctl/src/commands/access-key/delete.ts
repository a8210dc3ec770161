import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { accessKeyFacts } from '../../presentation/access-keys.js';
import { confirm } from '../../terminal/confirm.js';

export const deleteForGood = defineCommand({
  name: 'delete',
  summary: 'wipe the secret of an access key for good',
  description:
    'Wipes the secret of an access key for good; its id stays in the records and never returns. Tiers that hold its ' +
    'keys already go on accepting it until those days leave their window.',
  positionals: [['<access-key-id>', 'which access key']],
  options: z.strictObject({ yes: flag('do not ask for confirmation'), ...connectionOptions }),
  examples: ['keydctl access-key delete AKIAIOSFODNN7EXAMPLE', 'keydctl access-key delete AKIAIOSFODNN7EXAMPLE --yes'],
  async run({ options, positionals, surroundings }) {
    const accessKeyId = accessKeyIdOf(positionals);
    const address = { url: options.master, files: tlsFilesOf(options) };
    await confirm(surroundings, `Delete access key ${accessKeyId} for good?`, options.yes);
    const deleted = await withMaster(address, surroundings.now(), (master) => master.delete(accessKeyId));
    return { document: deleted, text: (paint) => accessKeyFacts(paint, deleted) };
  },
});
