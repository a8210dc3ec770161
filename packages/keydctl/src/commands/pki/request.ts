import { join } from 'node:path';
import { spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import { createRequest } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { folderOfIdentity, identityFrom, trustDomain } from '../../arguments/identity.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag, option } from '../../command-line/option.js';
import { facts } from '../../presentation/table.js';
import { folderName, PKI_FOLDER } from './authority-option.js';
import { hostOptions, hostsOf } from './host-options.js';

export const request = defineCommand({
  name: 'request',
  summary: 'make a key here, and a request to have it certified elsewhere',
  description:
    'Makes a private key where it will be used, and a request (PKCS #10) that may travel to the authority: tls.key ' +
    'and tls.csr. There: keydctl pki sign. Back here: keydctl pki install.',
  positionals: [['<identity...>', 'spiffe://TRUST-DOMAIN/ROLE/... or the parts after the trust domain']],
  options: z.strictObject({
    trustDomain: option(trustDomain.optional(), {
      value: 'domain',
      about: 'trust domain, when the identity is given in parts',
    }),
    out: option(folderName.optional(), { value: 'folder', about: `where to put it; default ${PKI_FOLDER}/IDENTITY` }),
    existingKey: flag('use the tls.key that is there instead of making one'),
    ...hostOptions,
  }),
  examples: [
    'keydctl pki request spiffe://keyd.example/master/master-1 --dns master-1.internal --out /etc/keyd',
    'keydctl pki request edge eu-west-1 s3 edge-7 --trust-domain keyd.example',
  ],
  async run({ options, positionals }) {
    const identity = identityFrom(positionals, options.trustDomain);
    const folder = options.out ?? join(PKI_FOLDER, folderOfIdentity(identity));
    const key = options.existingKey ? 'existing' : 'new';
    const made = await createRequest({ spiffeId: spiffeIdOf(identity), ...hostsOf(options), folder, key });
    return {
      document: { spiffeId: spiffeIdOf(identity), csr: made.csr, key: made.key },
      text: (paint) =>
        facts(paint, [
          ['identity', paint.bold(spiffeIdOf(identity))],
          ['request', made.csr],
          ['private key', made.key],
          ['next', `keydctl pki sign ${made.csr}`],
        ]),
    };
  },
});
