import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { span } from '../../arguments/span.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag, option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { rotatedAccessKeyText } from '../../presentation/changed-access-keys.js';
import { confirm } from '../../terminal/confirm.js';

export const rotate = defineCommand({
  name: 'rotate',
  summary: 'give an access key a new secret, at once or with an overlap; the secret is shown once',
  description:
    'Without --overlap the access key keeps its id and gets a new secret at once: requests and presigned URLs that ' +
    'were signed with the old one are refused. With --overlap another access key of the same owner and restrictions ' +
    'is made, and this one ends after that time: clients can change over without a gap.',
  positionals: [['<access-key-id>', 'which access key']],
  options: z.strictObject({
    overlap: option(span.optional(), { value: 'span', about: 'for so long both are good: 30m, 24h, 7d' }),
    yes: flag('do not ask for confirmation'),
    ...connectionOptions,
  }),
  examples: [
    'keydctl access-key rotate AKIAIOSFODNN7EXAMPLE --overlap 24h',
    'keydctl access-key rotate AKIAIOSFODNN7EXAMPLE --yes --json > access-key.json',
  ],
  async run({ options, positionals, surroundings }) {
    const accessKeyId = accessKeyIdOf(positionals);
    const address = { url: options.master, files: tlsFilesOf(options) };
    if (options.overlap === undefined) {
      await confirm(surroundings, `Replace the secret of ${accessKeyId} at once?`, options.yes);
    }
    const overlapSeconds = options.overlap === undefined ? undefined : options.overlap / 1000;
    const rotated = await withMaster(address, surroundings.now(), (master) =>
      master.rotate(accessKeyId, overlapSeconds),
    );
    return { document: rotated, text: (paint) => rotatedAccessKeyText(paint, rotated) };
  },
});
