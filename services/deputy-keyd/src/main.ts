#!/usr/bin/env node
import { runService } from '@sigv4-keyd/service-skeleton';
import { configuration } from './configuration.js';
import { startDeputyKeyd } from './start.js';

await runService({
  name: 'deputy-keyd',
  summary: 'holds kDate of the days that operators granted; issues kRegion to regions while no master can be reached',
  configuration,
  start: startDeputyKeyd,
});
