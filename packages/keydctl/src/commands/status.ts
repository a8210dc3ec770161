import { z } from 'zod';
import { defineCommand } from '../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../master/connection-options.js';
import { withMaster } from '../master/with-master.js';
import { statusText } from '../presentation/status.js';

export const status = defineCommand({
  name: 'status',
  summary: 'show what is up, which tier holds keys for which days, who is shut out, and how old keys and feed are',
  options: z.strictObject(connectionOptions),
  examples: ['keydctl status', 'keydctl status --json'],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const answer = await withMaster(address, surroundings.now(), async (master) => {
      const [status, { bans }] = await Promise.all([master.status(), master.bans()]);
      return { ...status, bans };
    });
    return { document: answer, text: (paint) => statusText(paint, answer) };
  },
});
