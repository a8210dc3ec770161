import { parseSpiffeId } from '@sigv4-keyd/fastify-mtls';
import { decodeIssuanceRecord } from '@sigv4-keyd/ledger';
import { isAccessKeyId, isRegionName } from '@sigv4-keyd/sigv4-core';
import { z } from 'zod';
import { utcDay } from '../../arguments/utc-day.js';
import { defineCommand } from '../../command-line/define-command.js';
import { option } from '../../command-line/option.js';
import { downloadLeaves } from '../../ledger/ledger-download.js';
import { connectionOptions, tlsFilesOf } from '../../master/connection-options.js';
import { withMaster } from '../../master/with-master.js';
import { ledgerTable, type ShownRecord } from '../../presentation/ledger.js';

const region = z.string().refine(isRegionName, 'must be a region name, such as us-east-1');
const accessKey = z.string().refine(isAccessKeyId, 'must be an access key id');
const peer = z.string().refine((text) => parseSpiffeId(text) !== undefined, 'must be a SPIFFE id, spiffe://...');

export const show = defineCommand({
  name: 'show',
  summary: 'show who was given which keys, in the order of the ledger',
  options: z.strictObject({
    region: option(region.optional(), { value: 'region', about: 'only keys of this region' }),
    edge: option(peer.optional(), { value: 'spiffe-id', about: 'only what this edge (or region) was given' }),
    accessKey: option(accessKey.optional(), { value: 'id', about: 'only keys of this access key' }),
    from: option(utcDay.optional(), { value: 'day', about: 'first UTC day of the keys, YYYY-MM-DD' }),
    to: option(utcDay.optional(), { value: 'day', about: 'last UTC day of the keys' }),
    ...connectionOptions,
  }),
  examples: [
    'keydctl ledger show --region us-east-1 --from 2026-11-01',
    'keydctl ledger show --edge spiffe://keyd.local/edge/us-east-1/s3/edge-1 --json',
  ],
  async run({ options, surroundings }) {
    const address = { url: options.master, files: tlsFilesOf(options) };
    const filter = {
      ...(options.region !== undefined && { region: options.region }),
      ...(options.edge !== undefined && { peer: options.edge }),
      ...(options.accessKey !== undefined && { accessKeyId: options.accessKey }),
      ...(options.from !== undefined && { firstDate: options.from }),
      ...(options.to !== undefined && { lastDate: options.to }),
    };
    const records = await withMaster(address, surroundings.now(), async (master) => {
      const shown: ShownRecord[] = [];
      for await (const { leaf, record } of downloadLeaves(master, { filter })) {
        if (record !== null) shown.push({ leaf, ...decodeIssuanceRecord(record) });
      }
      return shown;
    });
    return { document: { records }, text: (paint) => ledgerTable(paint, records) };
  },
});
