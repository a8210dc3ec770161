import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { custodyText } from '../../presentation/custody.js';

export const status = defineCommand({
  name: 'status',
  summary: 'show under which keys the secrets are sealed, and which cannot be read',
  options: z.strictObject(connectionOptions),
  examples: ['keydctl custody status', 'keydctl custody status --json'],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const answer = await withMaster(address, surroundings.now(), (master) => master.custodyStatus());
    return { document: answer, text: (paint) => custodyText(paint, answer) };
  },
});
