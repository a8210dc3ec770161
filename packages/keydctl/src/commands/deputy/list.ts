import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { listedGrants } from '../../presentation/deputy-grants.js';

export const list = defineCommand({
  name: 'list',
  summary: 'list every grant that was ever made, and what became of it',
  options: z.strictObject(connectionOptions),
  examples: ['keydctl deputy list', 'keydctl deputy list --json'],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const listed = await withMaster(address, surroundings.now(), (master) => master.deputyGrants());
    return { document: listed, text: (paint) => listedGrants(paint, listed) };
  },
});
