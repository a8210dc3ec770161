import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { accessKeyFacts } from '../../presentation/access-keys.js';

const EFFECT =
  'No tier gets keys for it any more. Tiers that hold its keys already go on accepting it until those days leave ' +
  'their window.';

export const disable = defineCommand({
  name: 'disable',
  summary: 'issue no more keys for an access key',
  description: EFFECT,
  positionals: [['<access-key-id>', 'which access key']],
  options: z.strictObject(connectionOptions),
  examples: ['keydctl access-key disable AKIAIOSFODNN7EXAMPLE'],
  async run({ options, positionals, surroundings }) {
    const accessKeyId = accessKeyIdOf(positionals);
    const address = { url: options.master, files: tlsFilesOf(options) };
    const changed = await withMaster(address, surroundings.now(), (master) => master.change(accessKeyId, 'disable'));
    return { document: changed, text: (paint) => `${accessKeyFacts(paint, changed)}\n\n${EFFECT}` };
  },
});
