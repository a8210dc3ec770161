import { spiffeIdOf } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { identityFrom } from '../../arguments/identity.js';
import { defineCommand } from '../../command-line/define-command.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { banFacts } from '../../presentation/bans.js';
import { ownTrustDomain } from './own-trust-domain.js';

export const unban = defineCommand({
  name: 'unban',
  summary: 'let a region, an edge or a deputy back in',
  positionals: [['<identity...>', 'spiffe://TRUST-DOMAIN/ROLE/... or the parts after the trust domain']],
  options: z.strictObject(connectionOptions),
  examples: ['keydctl identity unban edge us-east-1 s3 edge-1'],
  async run({ options, positionals, surroundings }) {
    const files = tlsFilesOf(options);
    const spiffeId = spiffeIdOf(identityFrom(positionals, await ownTrustDomain(files)));
    const address = { url: options.master, files };
    const ended = await withMaster(address, surroundings.now(), (master) => master.unban(spiffeId));
    return { document: ended, text: (paint) => banFacts(paint, ended, 'let back in') };
  },
});
