import { regionName, serviceName, type WantedAccessKeyChange } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { CHOSEN_ACCESS_KEYS, choiceOptions, runChange } from '../../access-key/run-change.js';
import { usageError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag, listOf, option } from '../../command-line/option.js';
import { connectionOptions } from '../../master/connection-options.js';

const effect = 'Requests for any other region or service are refused.';

const options = z.strictObject({
  region: option(listOf(regionName).optional(), { value: 'names', about: 'good for these regions', isList: true }),
  service: option(listOf(serviceName).optional(), { value: 'names', about: 'good for these services', isList: true }),
  unrestricted: flag('good for all regions and services'),
  ...choiceOptions,
  ...connectionOptions,
});

export const restrict = defineCommand({
  name: 'restrict',
  summary: 'change which regions and services access keys are good for',
  description: `${effect} What is not named stays as it is.`,
  positionals: CHOSEN_ACCESS_KEYS,
  options,
  examples: [
    'keydctl access-key restrict AKIAIOSFODNN7EXAMPLE --service s3 --region us-east-1,eu-west-1',
    'keydctl access-key restrict --owner ci --service s3 --dry-run',
    'keydctl access-key restrict AKIAIOSFODNN7EXAMPLE --unrestricted',
  ],
  run: (call) =>
    runChange(call, {
      change: changeOf(call.options),
      effect: call.options.unrestricted ? 'It is good for every region and service.' : effect,
    }),
});

function changeOf({ region, service, unrestricted }: z.output<typeof options>): WantedAccessKeyChange {
  const isNamed = region !== undefined || service !== undefined;
  if (isNamed === unrestricted) {
    throw usageError('give --region, --service or both, or --unrestricted', 'See keydctl access-key restrict --help');
  }
  if (unrestricted) return { kind: 'restrict', regions: null, services: null };
  return { kind: 'restrict', ...(region && { regions: region }), ...(service && { services: service }) };
}
