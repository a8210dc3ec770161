#!/usr/bin/env node
import { runService } from '@sigv4-keyd/service-skeleton';
import { configuration } from './configuration.js';
import { startCustodySigner } from './start.js';

await runService({
  name: 'custody-signer',
  summary: 'opens the seals of secrets for master-keyd, for a window of days; counts every call before it answers',
  configuration,
  start: startCustodySigner,
});
