import {
  budgetSettings,
  feedKeys,
  hopListen,
  httpsUrls,
  keyCache,
  keyMemory,
  ledgerKeys,
  metricsListen,
  prefetch,
  publicKeyMemory,
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
  deputies: httpsUrls
    .optional()
    .describe('deputy-keyd, likewise: asked for keys while no master in KEYD_MASTERS can give them'),
  keyMemory,
  keyCache,
  prefetch,
  publicKeyMemory,
});

/** The settings of region-keyd. Which region it serves is not among them: its certificate says so. */
export const configuration = related(settings, LIFETIMES);

export type Configuration = z.output<typeof configuration>;
