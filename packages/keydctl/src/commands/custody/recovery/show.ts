import { z } from 'zod';
import { defineCommand } from '../../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../../master/connection-options.js';
import { withMaster } from '../../../master/with-master.js';

export const show = defineCommand({
  name: 'show',
  summary: 'print the custody keys, wrapped for the recovery key, a line each; asks master-keyd',
  description:
    'Only shares of the recovery key open these lines. With no master up they are read from the database, or from a ' +
    "backup of it: psql -Atc 'SELECT line FROM custody_recovery ORDER BY made_at DESC'",
  options: z.strictObject(connectionOptions),
  examples: ['keydctl custody recovery show > wrapped.txt'],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const answer = await withMaster(address, surroundings.now(), (master) => master.custodyRecoveries());
    return { document: answer, text: () => answer.wrapped.map(({ line }) => line).join('\n') };
  },
});
