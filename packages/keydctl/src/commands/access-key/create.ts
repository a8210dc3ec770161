import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { createdAccessKeyFacts } from '../../presentation/access-keys.js';
import { restrictionOptions, restrictionsOf } from './restriction-options.js';

export const create = defineCommand({
  name: 'create',
  summary: 'make a new access key; its secret is shown once',
  options: z.strictObject({ ...restrictionOptions, ...connectionOptions }),
  examples: [
    'keydctl access-key create --owner "Backups of Berlin"',
    'keydctl access-key create --owner ci --expires 90d --region us-east-1,eu-west-1 --service s3',
    'keydctl access-key create --owner ci --json > access-key.json',
  ],
  async run({ options, surroundings }) {
    const request = restrictionsOf(options, surroundings.now());
    const address = { url: options.master, files: tlsFilesOf(options) };
    const created = await withMaster(address, surroundings.now(), (master) => master.create(request));
    return { document: created, text: (paint) => createdAccessKeyFacts(paint, created) };
  },
});
