import { deputyGrantRequest, MOST_DAYS_A_GRANT, MOST_GRANT_DAYS_AHEAD } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { utcDay } from '../../arguments/utc-day.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { grantFacts } from '../../presentation/deputy-grants.js';
import { deputyIdentity } from './deputy-identity.js';

const EFFECT =
  'The deputy fetches kDate of these days within a minute and keeps it. Whoever breaks into it can make the keys of ' +
  'every region for these days, and for no other day.';

export const grant = defineCommand({
  name: 'grant',
  summary: 'let a deputy have kDate of some days',
  description:
    `${EFFECT} A grant is for ${MOST_DAYS_A_GRANT} days at most, and its last day lies at most ` +
    `${MOST_GRANT_DAYS_AHEAD} days ahead. It needs KEYD_ALLOW_DEPUTIES=yes on every master.`,
  positionals: [['<name>', 'the deputy: NAME of spiffe://TRUST-DOMAIN/deputy/NAME, or the whole']],
  options: z.strictObject({
    from: option(utcDay, { value: 'day', about: 'first UTC day, such as 2026-11-22' }),
    to: option(utcDay, { value: 'day', about: 'last UTC day' }),
    reason: option(deputyGrantRequest.shape.reason, { value: 'text', about: 'why' }),
    ...connectionOptions,
  }),
  examples: ["keydctl deputy grant deputy-1 --from 2026-11-22 --to 2026-11-24 --reason 'the HSM is moved'"],
  async run({ options, positionals: [name = ''], surroundings }) {
    const files = tlsFilesOf(options);
    const { from, to, reason } = options;
    const wanted = { deputy: await deputyIdentity(name, files), from, to, reason };
    const address = { url: options.master, files };
    const made = await withMaster(address, surroundings.now(), (master) => master.grantDays(wanted));
    return { document: made, text: (paint) => `${grantFacts(paint, made)}\n\n${EFFECT}` };
  },
});
