import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import {
  isConfined,
  neededAccess,
  nodeOptions,
  permissionOptions,
  withoutPermissions,
  type Environment,
} from '@sigv4-keyd/service-skeleton';
import { workerConfiguration } from './worker-configuration.js';

/**
 * Starts a worker: a process that takes its connections from ours, by turns (node:cluster), and may do less than ours.
 * What it verifies with comes by the channel between the two; nothing of it is in its arguments or environment.
 */
export function forkWorker(environment: Environment): Worker {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('worker-main.js', import.meta.url)),
    args: [],
    ...(isConfined() && { execArgv: confinedOptions(environment) }),
  });
  return cluster.fork(isConfined() ? { NODE_OPTIONS: '' } : {});
}

/** Ours, but for the permissions: what a worker needs. It starts no process itself. */
function confinedOptions(environment: Environment): string[] {
  return [...withoutPermissions(nodeOptions()), ...permissionOptions(neededAccess(workerConfiguration, environment))];
}
