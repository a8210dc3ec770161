import { createAccessKey, regionName, serviceName, type CreateAccessKey } from '@sigv4-keyd/hop-protocol';
import { z } from 'zod';
import { expiresAt, expiry } from '../../arguments/expiry.js';
import { listOf, option } from '../../command-line/option.js';

/** Whose an access key is, and what it is good for: the same for new and for imported ones. */
export const restrictionOptions = {
  owner: option(createAccessKey.shape.owner, { value: 'name', about: 'who uses the access key' }),
  expires: option(expiry.optional(), {
    value: 'when',
    about: 'when it ends: 90d, 12h, 2026-12-31 (UTC); default never',
  }),
  region: option(listOf(regionName).optional(), {
    value: 'names',
    about: 'only for these regions: a,b or several times; default all',
    isList: true,
  }),
  service: option(listOf(serviceName).optional(), {
    value: 'names',
    about: 'only for these services: a,b or several times; default all',
    isList: true,
  }),
};

export function restrictionsOf(
  options: z.output<z.ZodObject<typeof restrictionOptions>>,
  now: number,
): CreateAccessKey {
  return {
    owner: options.owner,
    ...(options.expires && { expiresAt: expiresAt(options.expires, now) }),
    ...(options.region && { regions: options.region }),
    ...(options.service && { services: options.service }),
  };
}
