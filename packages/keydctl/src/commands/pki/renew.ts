import { openAuthority, renew as renewCertificate } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { days } from '../../arguments/days.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag, option } from '../../command-line/option.js';
import { authorityOption } from './authority-option.js';
import { certificateOutcome } from './certificate-outcome.js';

export const renew = defineCommand({
  name: 'renew',
  summary: 'replace a certificate by a new one for the same identity and names',
  description:
    'Replaces the certificate in a folder by a new one for the same identity and names, with a new key. Services ' +
    'take it up without a restart.',
  positionals: [['<folder>', 'folder with tls.crt and tls.key']],
  options: z.strictObject({
    ca: authorityOption,
    days: option(days.default(90), { value: 'days', about: 'how long it is good for; default 90' }),
    keepKey: flag('keep the private key'),
  }),
  examples: [
    'keydctl pki renew ./pki/edge-us-east-1-s3-edge-1',
    'keydctl pki renew ./pki/operator-alice --days 30 --keep-key',
  ],
  async run({ options, positionals: [folder = ''], surroundings }) {
    const authority = await openAuthority({ folder: options.ca });
    const wanted = { authority, folder, days: options.days, newKey: !options.keepKey, now: surroundings.now() };
    return certificateOutcome(await renewCertificate(wanted));
  },
});
