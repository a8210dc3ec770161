import { join } from 'node:path';
import { spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import { openAuthority } from '@sigv4-keyd/pki';
import { z } from 'zod';
import { days } from '../../arguments/days.js';
import { folderOfIdentity, identityFrom } from '../../arguments/identity.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { authorityOption, folderName, PKI_FOLDER } from './authority-option.js';
import { certificateOutcome } from './certificate-outcome.js';
import { hostOptions, hostsOf } from './host-options.js';

export const issue = defineCommand({
  name: 'issue',
  summary: 'make a key and its certificate for an identity',
  description:
    'Makes a private key (EC P-256) and a certificate with one SPIFFE id: tls.key, tls.crt and ca.crt in a ' +
    'folder. The identity is a SPIFFE id, or its parts: operator NAME, master NAME, signer NAME, deputy NAME, ' +
    'region REGION NAME, edge REGION SERVICE NAME, or edge REGION SERVICE aws4_request NAME for one that is given ' +
    'kSigning in place of kService.',
  positionals: [['<identity...>', 'spiffe://TRUST-DOMAIN/ROLE/... or the parts after the trust domain']],
  options: z.strictObject({
    ca: authorityOption,
    out: option(folderName.optional(), { value: 'folder', about: `where to put it; default ${PKI_FOLDER}/IDENTITY` }),
    ...hostOptions,
    days: option(days.default(90), { value: 'days', about: 'how long it is good for; default 90' }),
  }),
  examples: [
    'keydctl pki issue operator alice',
    'keydctl pki issue edge us-east-1 s3 edge-1 --days 30',
    'keydctl pki issue edge us-east-1 s3 aws4_request edge-2',
    'keydctl pki issue spiffe://keyd.local/region/us-east-1/region-1 --ca ./pki/ca --out ./pki/region-1 --dns region-1.internal',
  ],
  async run({ options, positionals, surroundings }) {
    const authority = await openAuthority({ folder: options.ca });
    const identity = identityFrom(positionals, authority.trustDomain);
    const files = await authority.issue({
      spiffeId: spiffeIdOf(identity),
      folder: options.out ?? join(PKI_FOLDER, folderOfIdentity(identity)),
      ...hostsOf(options),
      days: options.days,
      now: surroundings.now(),
    });
    return certificateOutcome(files);
  },
});
