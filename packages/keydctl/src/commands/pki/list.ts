import { describeFolder } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { certificateTable } from '../../presentation/certificates.js';
import { PKI_FOLDER } from './authority-option.js';

export const list = defineCommand({
  name: 'list',
  summary: 'show what a folder holds: identities, days left, problems',
  positionals: [['[folder]', `folder to look through, with all below it; default ${PKI_FOLDER}`]],
  options: z.strictObject({}),
  examples: ['keydctl pki list', 'keydctl pki list /etc/keyd --json'],
  async run({ positionals: [folder = PKI_FOLDER], surroundings }) {
    const files = await describeFolder({ folder, now: surroundings.now() });
    return { document: { folder, files }, text: (paint) => certificateTable(paint, files) };
  },
});
