#!/usr/bin/env node
import { processSurroundings } from './command-line/surroundings.js';
import { runKeydctl } from './run-keydctl.js';

// `keydctl … | head` ends the pipe early: that is no failure worth telling.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runKeydctl(process.argv.slice(2), processSurroundings());
