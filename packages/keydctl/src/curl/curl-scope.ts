import type { Surroundings } from '../command-line/surroundings.js';
import { fail } from './curl-failure.js';
import type { CurlOptions } from './curl-options.js';
import { scopeOfHost } from './scope-of-host.js';

/** What the request is signed for: as it is told, or as the host tells. */
export function curlScope(
  url: URL,
  options: CurlOptions,
  { env }: Surroundings,
): { readonly region: string; readonly service: string } {
  const told = scopeOfHost(url.hostname);
  const region = options.region ?? told.region ?? set(env['AWS_REGION']) ?? set(env['AWS_DEFAULT_REGION']);
  const service = options.service ?? told.service;
  if (region === undefined) throw fail('usage', `${url.hostname} does not tell its region: give --region`);
  if (service === undefined) throw fail('usage', `${url.hostname} does not tell its service: give --service`);
  return { region, service };
}

function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
