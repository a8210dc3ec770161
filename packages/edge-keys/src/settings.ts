import {
  credentialSettings,
  dateSettings,
  httpsUrls,
  keyCache,
  keyMemory,
  ledgerKeys,
  prefetch,
  publicKeyMemory,
  stateFolder,
  yesOrNo,
} from '@sigv4-keyd/service-skeleton';
import type { z } from 'zod';
import { feedSettings } from './feed/feed-settings.js';

/** What an edge needs to have keys. Its region and service are not among it: its certificate says so. */
export const edgeKeysSettings = {
  ...credentialSettings,
  stateFolder,
  ...feedSettings,
  ledgerKeys,
  regions: httpsUrls.describe('region-keyd, https://HOST:PORT, several separated by commas, nearest first'),
  presigned: yesOrNo.prefault('yes').describe('Accept presigned URLs'),
  ...dateSettings,
  keyMemory,
  keyCache,
  prefetch,
  publicKeyMemory,
};

export type EdgeKeysSettings = z.output<z.ZodObject<typeof edgeKeysSettings>>;
