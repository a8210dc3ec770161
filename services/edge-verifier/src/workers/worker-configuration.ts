import { edgeKeysSettings } from '@sigv4-keyd/edge-keys';
import { serviceSettings, tracesSettings } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { frontSettings } from '../front-settings.js';

const { feedKeys, softHorizon, hardHorizon, presigned, longestPresigned, clockSkew } = edgeKeysSettings;

/** What a worker is told of the edge's settings: nothing of its certificate, its region, its state. */
export const workerConfiguration = z.object({
  ...frontSettings,
  ...tracesSettings,
  ...{ feedKeys, softHorizon, hardHorizon, presigned, longestPresigned, clockSkew },
  logLevel: serviceSettings.logLevel,
});
