import { createSession, LONGEST_SESSION, regionName, serviceName, SHORTEST_SESSION } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { accessKeyIdOf } from '../../arguments/access-key-id.js';
import { span } from '../../arguments/span.js';
import { usageError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { flag, listOf, option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { createdSessionText, type SessionForm } from '../../presentation/sessions.js';

const options = z.strictObject({
  for: option(z.string(), { value: 'access-key-id', about: 'the long-lived access key that it is made of' }),
  duration: option(
    span.refine(
      (ms) => ms >= SHORTEST_SESSION * 1000 && ms <= LONGEST_SESSION * 1000,
      `must be between ${SHORTEST_SESSION / 60}m and ${LONGEST_SESSION / 3_600}h`,
    ),
    { value: 'span', about: 'how long it lasts: 15m to 36h; it ends with its access key if that ends sooner' },
  ),
  name: option(createSession.shape.name, { value: 'name', about: 'for whom; the upstream and the logs are told' }),
  regions: option(listOf(regionName).optional(), {
    value: 'names',
    about: 'only for these regions of the access key: a,b or several times',
    isList: true,
  }),
  services: option(listOf(serviceName).optional(), {
    value: 'names',
    about: 'only for these services of the access key: a,b or several times',
    isList: true,
  }),
  env: flag('print lines that a shell can eval'),
  profile: flag('print a profile for ~/.aws/credentials'),
  process: flag('print what credential_process of AWS tools reads'),
  ...connectionOptions,
});

export const create = defineCommand({
  name: 'create',
  summary: 'make temporary credentials; secret and token are shown once',
  description:
    'Temporary credentials (ASIA…) end by themselves and are good for no more than the access key that they are made ' +
    'of. Edges check their token offline. What revokes or disables the access key hits its sessions, too.',
  options,
  examples: [
    'keydctl session create --for AKIAIOSFODNN7EXAMPLE --duration 1h --name alice',
    'eval "$(keydctl session create --for AKIAIOSFODNN7EXAMPLE --duration 1h --env)"',
    'keydctl session create --for AKIAIOSFODNN7EXAMPLE --duration 12h --services s3 --profile >> ~/.aws/credentials',
  ],
  async run({ options, surroundings }) {
    const form = formOf(options);
    const { duration, name, regions, services } = options;
    const request = {
      parentAccessKeyId: accessKeyIdOf([options.for]),
      durationSeconds: duration / 1000,
      ...(name !== undefined && { name }),
      ...(regions && { regions }),
      ...(services && { services }),
    };
    const address = { url: options.master, files: tlsFilesOf(options) };
    const created = await withMaster(address, surroundings.now(), (master) => master.createSession(request));
    return { document: created, text: (paint) => createdSessionText(paint, created, form) };
  },
});

function formOf({ env, profile, process }: z.output<typeof options>): SessionForm {
  if ([env, profile, process].filter(Boolean).length > 1) {
    throw usageError('give one of --env, --profile and --process', 'See keydctl session create --help');
  }
  if (env) return 'env';
  if (profile) return 'profile';
  return process ? 'process' : 'facts';
}
