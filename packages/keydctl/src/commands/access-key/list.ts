import { accessKeyStatus, type AccessKey } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { accessKeyTable } from '../../presentation/access-keys.js';

export const list = defineCommand({
  name: 'list',
  summary: 'list access keys',
  options: z.strictObject({
    owner: option(z.string().max(200, 'must be at most 200 characters').optional(), {
      value: 'name',
      about: 'only those of this owner',
    }),
    status: option(accessKeyStatus.optional(), { value: 'status', about: 'only enabled, disabled or deleted ones' }),
    ...connectionOptions,
  }),
  examples: [
    'keydctl access-key list',
    'keydctl access-key list --owner ci --status enabled',
    'keydctl access-key list --json',
  ],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const accessKeys = await withMaster(address, surroundings.now(), async (master) => {
      const all: AccessKey[] = [];
      for await (const accessKey of master.list(options)) all.push(accessKey);
      return all;
    });
    return { document: { accessKeys }, text: (paint) => accessKeyTable(paint, accessKeys) };
  },
});
