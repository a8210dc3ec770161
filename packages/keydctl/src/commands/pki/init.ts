import { join } from 'node:path';
import { createAuthority } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { days } from '../../arguments/days.js';
import { trustDomain } from '../../arguments/identity.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { shortInstant } from '../../presentation/age.js';
import { facts } from '../../presentation/table.js';
import { folderName, PKI_FOLDER } from './authority-option.js';

const DEFAULT_FOLDER = join(PKI_FOLDER, 'ca');

export const init = defineCommand({
  name: 'init',
  summary: 'make a certificate authority for a trust domain',
  description:
    'Makes a certificate authority (EC P-256) for a trust domain: ca.crt, which everyone may have, and ca.key, which ' +
    'whoever has can be any tier. Keep the key offline. Nothing that is there is overwritten.',
  options: z.strictObject({
    trustDomain: option(trustDomain, { value: 'domain', about: 'SPIFFE trust domain, such as keyd.local' }),
    out: option(folderName.default(DEFAULT_FOLDER), {
      value: 'folder',
      about: `where to put it; default ${DEFAULT_FOLDER}`,
    }),
    days: option(days.default(3650), { value: 'days', about: 'how long it is good for; default 3650' }),
  }),
  examples: [
    'keydctl pki init --trust-domain keyd.local',
    'keydctl pki init --trust-domain keyd.example --out ./offline/ca --days 1825',
  ],
  async run({ options, surroundings }) {
    const { out: folder, ...wanted } = options;
    const authority = await createAuthority({ ...wanted, folder, now: surroundings.now() });
    const made = {
      trustDomain: authority.trustDomain,
      cert: join(folder, 'ca.crt'),
      key: join(folder, 'ca.key'),
      notAfter: authority.notAfter.toISOString(),
    };
    return {
      document: made,
      text: (paint) =>
        facts(paint, [
          ['trust domain', paint.bold(made.trustDomain)],
          ['certificate', made.cert],
          ['private key', `${made.key} (keep it offline)`],
          ['good until', shortInstant(made.notAfter)],
        ]),
    };
  },
});
