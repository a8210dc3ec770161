import { spiffeIdOf, revocationRequest } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { identityFrom } from '../../arguments/identity.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { banFacts } from '../../presentation/bans.js';
import { ownTrustDomain } from './own-trust-domain.js';

const EFFECT =
  'The tier above gives it nothing more and closes its connections. What it holds already it keeps: revoke the ' +
  'scopes that it had keys for (keydctl revoke).';

export const ban = defineCommand({
  name: 'ban',
  summary: 'shut a region, an edge or a deputy out, at the tier above it',
  description: EFFECT,
  positionals: [['<identity...>', 'spiffe://TRUST-DOMAIN/ROLE/... or the parts after the trust domain']],
  options: z.strictObject({
    reason: option(revocationRequest.shape.reason, { value: 'text', about: 'why' }),
    ...connectionOptions,
  }),
  examples: [
    "keydctl identity ban edge us-east-1 s3 edge-1 --reason 'broken into'",
    "keydctl identity ban spiffe://keyd.local/region/us-east-1/region-1 --reason 'broken into'",
  ],
  async run({ options, positionals, surroundings }) {
    const files = tlsFilesOf(options);
    const spiffeId = spiffeIdOf(identityFrom(positionals, await ownTrustDomain(files)));
    const address = { url: options.master, files };
    const made = await withMaster(address, surroundings.now(), (master) => master.ban(spiffeId, options.reason));
    return { document: made, text: (paint) => `${banFacts(paint, made, 'banned')}\n\n${EFFECT}` };
  },
});
