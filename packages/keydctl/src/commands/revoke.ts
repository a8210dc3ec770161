import { revocationRequest, type RevocationAnswer, type RevocationRequest } from '@sigv4-keyd/hop-protocol';
import picocolors from 'picocolors';
import { z } from 'zod';
import { issuedBefore } from '../arguments/issued-before.js';
import { scopeOptions } from '../arguments/scope.js';
import { usageError } from '../command-line/command-error.js';
import { defineCommand } from '../command-line/define-command.js';
import { flag, option } from '../command-line/option.js';
import type { Outcome } from '../command-line/outcome.js';
import { hasColours, type Surroundings } from '../command-line/surroundings.js';
import { write } from '../command-line/write-outcome.js';
import { connectionOptions, tlsFilesOf } from '../master/connection-options.js';
import type { MasterClient } from '../master/master-client.js';
import { withMaster } from '../master/with-master.js';
import { revocationText } from '../presentation/revocation.js';
import { forClients } from '../revocation/for-clients.js';
import { confirm } from '../terminal/confirm.js';

const { incident, reason } = revocationRequest.shape;

const options = z.strictObject({
  ...scopeOptions,
  issuedBefore: option(issuedBefore.optional(), {
    value: 'when',
    about: 'only access keys created before: now, 2026-11-22 or 2026-11-22T08:30:00Z',
  }),
  incident: option(incident, { value: 'id', about: 'the incident that this belongs to, such as INC-7' }),
  reason: option(reason, { value: 'text', about: 'why; every tier gets to read it' }),
  dryRun: flag('only show what it would hit'),
  yes: flag('do not ask for confirmation'),
  ...connectionOptions,
});

export const revoke = defineCommand({
  name: 'revoke',
  summary: 'refuse signatures of a scope of days, whoever makes them; shows first what that hits',
  description:
    'Refuses signatures of a scope: those of a region, a service, an access key (absent: all) dated from one UTC day ' +
    'to another. Shows what was issued and accepted in it, asks for the incident id on a terminal, and publishes; ' +
    'edges refuse within a second. Honest clients are refused, too, until the next UTC day or until they have new ' +
    'access keys (--issued-before now). Only a lift signed with the offline root key takes it back.',
  options,
  examples: [
    "keydctl revoke --region us-east-1 --from 2026-11-01 --incident INC-7 --reason 'edge broken into' --dry-run",
    "keydctl revoke --region us-east-1 --from 2026-11-01 --issued-before now --incident INC-7 --reason 'edge lost'",
    "keydctl revoke --access-key AKIAIOSFODNN7EXAMPLE --from 2026-11-01 --incident INC-8 --reason 'leaked' --yes",
  ],
  run({ options, surroundings }) {
    if (options.to !== undefined && options.to < options.from) {
      throw usageError('--to lies before --from', 'Give the days in order');
    }
    if (!options.dryRun && !options.yes && !surroundings.isTerminal.input) {
      throw usageError('there is no terminal to confirm this on', 'Look with --dry-run, then add --yes if it is meant');
    }
    const address = { url: options.master, files: tlsFilesOf(options) };
    return withMaster(address, surroundings.now(), async (master) => {
      const request = await requestOf(options, master);
      if (options.dryRun) return outcomeOf(await master.revoke({ ...request, dryRun: true }));
      if (!options.yes) await confirmSeeing(await master.revoke({ ...request, dryRun: true }), surroundings);
      // Without --to the master chooses the last day anew: keys may have been issued while the question stood.
      return outcomeOf(await master.revoke(request));
    });
  },
});

async function requestOf(given: z.output<typeof options>, master: MasterClient): Promise<RevocationRequest> {
  const { from, to, region, service, accessKey: accessKeyId } = given;
  const request: RevocationRequest = {
    ...(accessKeyId !== undefined && { accessKeyId }),
    ...(region !== undefined && { region }),
    ...(service !== undefined && { service }),
    from,
    ...(to !== undefined && { to }),
    incident: given.incident,
    reason: given.reason,
  };
  if (given.issuedBefore === undefined) return request;
  if (given.issuedBefore !== 'now') return { ...request, issuedBefore: new Date(given.issuedBefore).toISOString() };
  // By the clock of the master, which dates access keys, too.
  const { statement } = await master.revoke({ ...request, dryRun: true });
  return { ...request, issuedBefore: statement.at };
}

async function confirmSeeing(preview: RevocationAnswer, surroundings: Surroundings): Promise<void> {
  const paint = picocolors.createColors(hasColours(surroundings, 'errorOutput'));
  await write(surroundings.errorOutput, `${revocationText(paint, preview)}\n\n`);
  await confirm(surroundings, 'Revoke this?', false, preview.statement.incident);
}

function outcomeOf(answer: RevocationAnswer): Outcome {
  const document = { ...answer, forClients: forClients(answer.statement) };
  return { document, text: (paint) => revocationText(paint, answer) };
}
