import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { accessKeyFacts } from '../../presentation/access-keys.js';

export const show = defineCommand({
  name: 'show',
  summary: 'show one access key, never its secret',
  positionals: [['<access-key-id>', 'which access key']],
  options: z.strictObject(connectionOptions),
  examples: ['keydctl access-key show AKIAIOSFODNN7EXAMPLE'],
  async run({ options, positionals, surroundings }) {
    const accessKeyId = accessKeyIdOf(positionals);
    const address = { url: options.master, files: tlsFilesOf(options) };
    const accessKey = await withMaster(address, surroundings.now(), (master) => master.get(accessKeyId));
    return { document: accessKey, text: (paint) => accessKeyFacts(paint, accessKey) };
  },
});
