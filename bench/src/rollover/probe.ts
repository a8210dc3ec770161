import cluster from 'node:cluster';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { measured, type Measured } from './measured.js';

/**
 * Loaded before a program that is measured (`node --expose-gc --import`): answers its parent process what it takes. The
 * program itself knows nothing of it. A worker of the program inherits the option: it answers to the program alone.
 */
const delay = monitorEventLoopDelay({ resolution: 5 });
if (cluster.isPrimary) delay.enable();
let before = process.cpuUsage();

if (cluster.isPrimary) {
  process.on('message', (question: unknown) => {
    const answer: Measured = measured.parse(question === 'measure' ? measure() : question);
    process.send?.(answer);
  });
  process.channel?.unref();
}

function measure(): Measured {
  const longestStallMs = delay.max / 1e6;
  const { user, system } = process.cpuUsage(before);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  // What collecting took is not the program's own.
  delay.reset();
  before = process.cpuUsage();
  return { longestStallMs, processorMs: (user + system) / 1000, peakBytes, liveBytes: heapUsed + external };
}
