import { accessKeyId, regionName, serviceName } from '@sigv4-keyd/hop-protocol';
import { option } from '../command-line/option.js';
import { utcDay } from './utc-day.js';

/** What a revocation hits: absent means all. The order is that of `--help`. */
export const scopeOptions = {
  region: option(regionName.optional(), { value: 'region', about: 'only this region' }),
  from: option(utcDay, { value: 'day', about: 'first UTC day of the scope, YYYY-MM-DD' }),
  to: option(utcDay.optional(), {
    value: 'day',
    about: 'last UTC day; without it: today, or the newest whose keys exist',
  }),
  accessKey: option(accessKeyId.optional(), { value: 'id', about: 'only this access key' }),
  service: option(serviceName.optional(), { value: 'service', about: 'only this service' }),
};
