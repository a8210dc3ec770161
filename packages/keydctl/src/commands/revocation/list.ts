import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { revocationTable } from '../../presentation/revocation.js';

export const list = defineCommand({
  name: 'list',
  summary: 'list what was revoked, and what of it was lifted',
  options: z.strictObject(connectionOptions),
  examples: ['keydctl revocation list', 'keydctl revocation list --json'],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const listed = await withMaster(address, surroundings.now(), (master) => master.revocations());
    return { document: listed, text: (paint) => revocationTable(paint, listed) };
  },
});
