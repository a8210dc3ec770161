import { workerData } from 'node:worker_threads';
import { lineOf } from './engine/corpus-file.js';

const PATIENCE_MS = 20_000;

/** What the fuzzer's thread shares: how many inputs it has run, the length of the present one, and its bytes. */
export interface Watched {
  readonly progress: Int32Array;
  readonly input: Uint8Array;
}

/** Runs in a thread of its own: an input that hangs the fuzzer can be told by nobody else. */
function watch({ progress, input }: Watched): void {
  let before = -1;
  setInterval(() => {
    const [count = 0, length = 0] = progress;
    if (count === before) {
      process.stderr.write(`no end after ${PATIENCE_MS / 1000} s: ${lineOf(Buffer.from(input.slice(0, length)))}\n`);
      process.kill(process.pid, 'SIGKILL');
    }
    before = count;
  }, PATIENCE_MS);
}

watch(workerData as Watched);
