#!/usr/bin/env node
import { runService } from '@sigv4-keyd/service-skeleton';
import { configuration } from './configuration.js';
import { startMasterKeyd } from './start.js';

await runService({
  name: 'master-keyd',
  summary: 'holds every secret, sealed, in PostgreSQL; issues kRegion to region-keyd for a window of days',
  configuration,
  start: startMasterKeyd,
});
