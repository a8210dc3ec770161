import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { banTable } from '../../presentation/bans.js';

export const list = defineCommand({
  name: 'list',
  summary: 'list who is shut out',
  options: z.strictObject(connectionOptions),
  examples: ['keydctl identity list', 'keydctl identity list --json'],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const listed = await withMaster(address, surroundings.now(), (master) => master.bans());
    return { document: listed, text: (paint) => banTable(paint, listed) };
  },
});
