import {
  count,
  feedKeys,
  hopListen,
  httpsUrls,
  ledgerKeys,
  serviceSettings,
  stateFolder,
} from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';

/** The settings of region-keyd. Which region it serves is not among them: its certificate says so. */
export const configuration = z.object({
  ...serviceSettings,
  stateFolder,
  feedKeys,
  ledgerKeys,
  listen: hopListen,
  masters: httpsUrls.describe('master-keyd, https://HOST:PORT, several separated by commas, nearest first'),
  mostKeysADay: count.prefault('1000000').describe('Access keys held for each day; the least recently used go first'),
});

export type Configuration = z.output<typeof configuration>;
