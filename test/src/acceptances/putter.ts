// Puts numbers into a buffer for as long as it lives, and says on standard output what it was promised. Killed by the
// test.
import { BatchBuffer, createLogger } from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { sayAtOnce } from '../support/said-at-once.js';

const [folder = '', first = '0'] = process.argv.slice(2);
const buffer = await BatchBuffer.open({
  folder,
  entry: z.number(),
  mostBytes: 64 * 1024 * 1024,
  mostTogether: 5,
  log: createLogger({ service: 'putter', level: 'silent' }),
});
let next = Number(first);

async function putForEver(): Promise<never> {
  for (;;) {
    const number = next;
    next += 1;
    await buffer.put(number);
    sayAtOnce(String(number));
  }
}

await Promise.all(Array.from({ length: 8 }, putForEver));
