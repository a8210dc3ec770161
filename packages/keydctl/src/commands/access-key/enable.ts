import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { accessKeyFacts } from '../../presentation/access-keys.js';

const EFFECT = 'Keys are issued for it again at once; tiers that remember it as absent ask again within a minute.';

export const enable = defineCommand({
  name: 'enable',
  summary: 'issue keys for an access key again',
  description: EFFECT,
  positionals: [['<access-key-id>', 'which access key']],
  options: z.strictObject(connectionOptions),
  examples: ['keydctl access-key enable AKIAIOSFODNN7EXAMPLE'],
  async run({ options, positionals, surroundings }) {
    const accessKeyId = accessKeyIdOf(positionals);
    const address = { url: options.master, files: tlsFilesOf(options) };
    const changed = await withMaster(address, surroundings.now(), (master) => master.change(accessKeyId, 'enable'));
    return { document: changed, text: (paint) => `${accessKeyFacts(paint, changed)}\n\n${EFFECT}` };
  },
});
