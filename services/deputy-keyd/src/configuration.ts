import {
  budgetSettings,
  feedKeys,
  hopListen,
  httpsUrls,
  keyCache,
  keyMemory,
  ledgerKeys,
  metricsListen,
  related,
  serviceSettings,
  stateFolder,
  tracesSettings,
} from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { LIFETIMES } from './lifetimes.js';

const settings = z.object({
  ...serviceSettings,
  metricsListen,
  ...tracesSettings,
  stateFolder,
  feedKeys,
  ledgerKeys,
  listen: hopListen,
  ...budgetSettings,
  masters: httpsUrls.describe('master-keyd, https://HOST:PORT, several separated by commas, nearest first'),
  keyMemory,
  keyCache,
  accessKeys: z
    .enum(['all', 'pinned'])
    .default('all')
    .describe('Whose kDate of granted days is fetched: all access keys that are good in every region, or those pinned'),
});

/** The settings of deputy-keyd. Which days it serves is not among them: operators grant them. */
export const configuration = related(settings, LIFETIMES);

export type Configuration = z.output<typeof configuration>;
