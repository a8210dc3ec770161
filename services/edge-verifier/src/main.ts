#!/usr/bin/env node
import { runService } from '@sigv4-keyd/service-skeleton';
import { configuration } from './configuration.js';
import { startEdgeVerifier } from './start.js';

await runService({
  name: 'edge-verifier',
  summary: "holds its service's kService for a window of days; verifies requests offline",
  configuration,
  start: startEdgeVerifier,
});
