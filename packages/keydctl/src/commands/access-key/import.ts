import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { accessKeyFacts } from '../../presentation/access-keys.js';
import { readSecretAccessKey } from '../../terminal/secret-input.js';
import { restrictionOptions, restrictionsOf } from './restriction-options.js';

export const importExisting = defineCommand({
  name: 'import',
  summary: 'bring an access key that was made elsewhere',
  description:
    'Brings an access key that was made elsewhere. The secret is asked for without showing it, or read from a file ' +
    'or from standard input; it is never an argument, since arguments are visible to every user of the machine.',
  positionals: [['<access-key-id>', 'the id that clients have']],
  options: z.strictObject({
    secretFile: option(z.string().min(1, 'must name a file').optional(), {
      value: 'file',
      about: 'file that holds the secret access key, - for standard input',
    }),
    ...restrictionOptions,
    ...connectionOptions,
  }),
  examples: [
    'keydctl access-key import AKIAIOSFODNN7EXAMPLE --owner legacy',
    'keydctl access-key import AKIAIOSFODNN7EXAMPLE --owner legacy --secret-file ./secret',
    'pass show legacy | keydctl access-key import AKIAIOSFODNN7EXAMPLE --owner legacy --secret-file -',
  ],
  async run({ options, positionals, surroundings }) {
    const accessKeyId = accessKeyIdOf(positionals);
    const restrictions = restrictionsOf(options, surroundings.now());
    const address = { url: options.master, files: tlsFilesOf(options) };
    const secretAccessKey = await readSecretAccessKey(surroundings, options.secretFile);
    const imported = await withMaster(address, surroundings.now(), (master) =>
      master.import({ ...restrictions, accessKeyId, secretAccessKey }),
    );
    return { document: imported, text: (paint) => accessKeyFacts(paint, imported) };
  },
});
