import { z } from 'zod';
import { listOf, option } from '../../command-line/option.js';

/** The names that clients dial a server by; they stand in its certificate beside its identity. */
export const hostOptions = {
  dns: option(listOf(z.string()).optional(), {
    value: 'names',
    about: 'host names that clients dial: a,b or several times',
    isList: true,
  }),
  ip: option(listOf(z.string()).optional(), {
    value: 'addresses',
    about: 'IP addresses that clients dial: a,b or several times',
    isList: true,
  }),
};

export function hostsOf({ dns = [], ip = [] }: z.output<z.ZodObject<typeof hostOptions>>): {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
} {
  return { dnsNames: dns, ipAddresses: ip };
}
