import { writeFile } from 'node:fs/promises';
import { incidentPage } from '@sigv4-keyd/console';
import { isAccessKeyId, isRegionName, isServiceName } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { utcDay } from '../../arguments/utc-day.js';
import { usageError } from '../../command-line/command-error.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { incidentText } from '../../presentation/incident-report.js';

const region = z.string().refine(isRegionName, 'must be a region name, such as us-east-1');
const service = z.string().refine(isServiceName, 'must be a service name, such as s3');
const accessKey = z.string().refine(isAccessKeyId, 'must be an access key id');

export const report = defineCommand({
  name: 'report',
  summary: 'show what was issued and accepted in a scope of days, what is revoked of it, and what is good',
  description:
    'Which signatures are suspicious after a break-in: those of a scope (region, service, access key; absent: all) ' +
    'dated from one UTC day to another. The report names the keys that were issued in it and to whom, the signatures ' +
    'that were accepted in it, what is outside and good, and how clients get back to service.',
  options: z.strictObject({
    region: option(region.optional(), { value: 'region', about: 'only this region' }),
    from: option(utcDay, { value: 'day', about: 'first UTC day of the scope, YYYY-MM-DD' }),
    to: option(utcDay.optional(), { value: 'day', about: 'last UTC day; without it: the newest whose keys exist' }),
    service: option(service.optional(), { value: 'service', about: 'only this service' }),
    accessKey: option(accessKey.optional(), { value: 'id', about: 'only this access key' }),
    html: option(z.string().min(1, 'must name a file').optional(), {
      value: 'file',
      about: 'also write a page that stands alone and can be mailed',
    }),
    ...connectionOptions,
  }),
  examples: [
    'keydctl incident report --region us-east-1 --from 2026-11-01',
    'keydctl incident report --region us-east-1 --from 2026-11-01 --to 2026-11-05 --html incident.html',
    'keydctl incident report --access-key AKIAIOSFODNN7EXAMPLE --from 2026-11-01 --json',
  ],
  async run({ options, surroundings }) {
    const { from, to, html, accessKey: accessKeyId } = options;
    if (to !== undefined && to < from) throw usageError('--to lies before --from', 'Give the days in order');
    const query = { region: options.region, service: options.service, accessKeyId, from, to };
    const address = { url: options.master, files: tlsFilesOf(options) };
    const found = await withMaster(address, surroundings.now(), (master) => master.incidentReport(query));
    if (html !== undefined) await writeFile(html, incidentPage(found), { mode: 0o600 });
    return {
      document: found,
      text: (paint) => `${incidentText(paint, found)}${html === undefined ? '' : `\n\nThe page is in ${html}.`}`,
    };
  },
});
