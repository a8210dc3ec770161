import { accessKeyStatus, type AccessKey } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { sessionTable } from '../../presentation/sessions.js';

export const list = defineCommand({
  name: 'list',
  summary: 'list the sessions of an access key that have not ended',
  options: z.strictObject({
    for: option(z.string(), { value: 'access-key-id', about: 'the access key that they were made of' }),
    status: option(accessKeyStatus.optional(), {
      value: 'status',
      about: 'only enabled, disabled or ended (deleted) ones',
    }),
    ...connectionOptions,
  }),
  examples: ['keydctl session list --for AKIAIOSFODNN7EXAMPLE'],
  async run({ options, surroundings }) {
    const filter = { sessionsOf: accessKeyIdOf([options.for]), status: options.status };
    const address = { url: options.master, files: tlsFilesOf(options) };
    const sessions = await withMaster(address, surroundings.now(), async (master) => {
      const all: AccessKey[] = [];
      for await (const session of master.list(filter)) all.push(session);
      return all;
    });
    return { document: { sessions }, text: (paint) => sessionTable(paint, sessions) };
  },
});
