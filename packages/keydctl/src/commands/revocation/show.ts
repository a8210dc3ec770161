import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { revocationFacts } from '../../presentation/revocation.js';
import { findRevocation } from './find-revocation.js';

export const show = defineCommand({
  name: 'show',
  summary: 'show one revocation: who made it, why, and until when it is kept',
  positionals: [['<id>', 'its id, or the beginning of it']],
  options: z.strictObject(connectionOptions),
  examples: ['keydctl revocation show 0b0f9a7e'],
  async run({ options, positionals: [id = ''], surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const found = await withMaster(address, surroundings.now(), (master) => findRevocation(master, id));
    return { document: found, text: (paint) => revocationFacts(paint, found) };
  },
});
