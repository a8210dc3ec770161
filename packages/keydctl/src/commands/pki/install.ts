import { readFile } from 'node:fs/promises';
import { installCertificate } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { certificateOutcome } from './certificate-outcome.js';

const file = z.string().min(1, 'must name a file');

export const install = defineCommand({
  name: 'install',
  summary: 'put a certificate beside the key that its request was made with',
  positionals: [['<folder>', 'folder in which keydctl pki request made tls.key']],
  options: z.strictObject({
    cert: option(file, { value: 'file', about: 'the certificate that came back' }),
    trust: option(file, { value: 'file', about: 'the authorities to trust: ca.crt' }),
  }),
  examples: ['keydctl pki install /etc/keyd --cert ./tls.crt --trust ./ca.crt'],
  async run({ options, positionals: [folder = ''] }) {
    const [certPem, caPem] = await Promise.all([readFile(options.cert, 'latin1'), readFile(options.trust, 'latin1')]);
    return certificateOutcome(await installCertificate({ folder, certPem, caPem }));
  },
});
