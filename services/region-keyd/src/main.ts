#!/usr/bin/env node
import { runService } from '@sigv4-keyd/service-skeleton';
import { configuration } from './configuration.js';
import { startRegionKeyd } from './start.js';

await runService({
  name: 'region-keyd',
  summary: "holds its region's kRegion for a window of days; issues kService to edge verifiers",
  configuration,
  start: startRegionKeyd,
});
